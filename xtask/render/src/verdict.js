// Runs in the page, when all is drawn: what a person could not read.

/** One entry for each panel: what it is, and its faults. */
export function verdict() {
  return [...document.querySelectorAll('[data-panel]')].map((panel) => {
    const { panel: title, state, message, empty, series } = panel.dataset;
    const faults = [];
    if (state !== 'drawn') {
      faults.push(message ?? state);
    } else if (empty) {
      faults.push(...empty.split('\n').map((target) => `no data: ${target}`));
    }
    const labels = [...panel.querySelectorAll('[class*="LegendLabel"]')];
    const texts = labels.map((label) => label.textContent.trim());
    texts.forEach((text, at) => {
      if (text === '' || /[{}]|^Value( #\w)?$|\$\w/.test(text)) {
        faults.push(`legend “${text}” names nothing`);
      }
      if (texts.indexOf(text) !== at) {
        faults.push(`legend “${text}” stands twice`);
      }
    });
    const frame = panel.getBoundingClientRect();
    for (const element of panel.querySelectorAll('*')) {
      const style = getComputedStyle(element);
      const cut = style.textOverflow === 'ellipsis' && element.scrollWidth > element.clientWidth + 1;
      const outside = element.className.includes?.('LegendLabel') && element.getBoundingClientRect().right > frame.right;
      if (element.textContent && (cut || outside)) {
        faults.push(`“${element.textContent.trim()}” is cut off`);
      }
    }
    const sight = (label) => label.closest('.scrollbar-view, [class*="scroll" i]')?.getBoundingClientRect().bottom ?? frame.bottom;
    const hidden = labels.filter((label) => label.getBoundingClientRect().top + 8 > Math.min(frame.bottom, sight(label))).length;
    if (hidden * 2 > labels.length) {
      faults.push(`${hidden} of ${labels.length} legends are out of sight`);
    }
    return { title, series: Number(series ?? 0), legends: texts, faults };
  });
}
