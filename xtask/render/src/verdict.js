// Runs in the page, when all is drawn: what a person could not read.

/** One entry for each panel: what it is, and its faults. */
export function verdict() {
  return [...document.querySelectorAll('[data-panel]')].map((panel) => {
    const { panel: title, state, message, quiet, series } = panel.dataset;
    const faults = [];
    const notes = [];
    if (state !== 'drawn') {
      faults.push(message ?? (state === 'empty' ? 'no data' : state));
    } else if (quiet) {
      notes.push(`no data: ${quiet}`);
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
    // A long legend scrolls: what is not in sight can still be read, as long as some of it is.
    const bottom = Math.min(frame.bottom, panel.querySelector('[class*="scrollbar" i]')?.getBoundingClientRect().bottom ?? Infinity);
    const hidden = labels.filter((label) => label.getBoundingClientRect().top + 8 > bottom).length;
    if (hidden > 0) {
      (hidden === labels.length ? faults : notes).push(`${hidden} of ${labels.length} legends must be scrolled to`);
    }
    return { title, series: Number(series ?? 0), legends: texts, notes, faults };
  });
}
