// node validate.mjs DIRECTORY: every manifest in it against the schema of its kind.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { parseAllDocuments } from 'yaml';

const KINDS = {
  'apps/v1 Deployment': Deployment,
  'v1 ConfigMap': ConfigMap,
  'v1 Service': Service,
  'monitoring.coreos.com/v1 PodMonitor': PodMonitor,
};

const directory = process.argv[2];
const manifests = [];
for (const file of (await readdir(directory)).sort()) {
  if (file.endsWith('.yaml') && file !== 'kustomization.yaml') {
    const text = await readFile(path.join(directory, file), 'utf8');
    manifests.push(...parseAllDocuments(text).map((document) => ({ file, manifest: document.toJS() })));
  }
}

const faults = [];
for (const { file, manifest } of manifests) {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const Kind = KINDS[kind];
  try {
    if (!Kind) {
      throw new Error('no schema is known here');
    }
    new Kind(manifest).validate();
    console.log(`ok     ${file}: ${kind}`);
  } catch (error) {
    faults.push(`${file}: ${kind}: ${error.message}`);
  }
}

// What no schema sees: that the names lead to each other.
const get = (kind, name = 'brightstaff') =>
  manifests.find(({ manifest }) => manifest.kind === kind && manifest.metadata.name === name)?.manifest;
const [pod, service, monitor] = [get('Deployment').spec.template, get('Service').spec, get('PodMonitor').spec];
const redis = get('Service', 'brightstaff-redis');
const store = get('Deployment', 'brightstaff-redis').spec.template;
const selects = (selector) => Object.entries(selector).every(([key, value]) => pod.metadata.labels[key] === value);
const ports = pod.spec.containers.flatMap((container) => container.ports.map(({ name }) => name));
for (const [holds, what] of [
  [selects(get('Deployment').spec.selector.matchLabels), 'the Deployment selects its pods'],
  [selects(service.selector), 'the Service selects the pods'],
  [selects(monitor.selector.matchLabels), 'the PodMonitor selects the pods'],
  [service.ports.every(({ targetPort }) => ports.includes(targetPort)), 'the Service leads to a port of the pods'],
  [monitor.podMetricsEndpoints?.every(({ port }) => ports.includes(port)), 'the PodMonitor scrapes a port of the pods'],
  [monitor.jobLabel in pod.metadata.labels, 'the pods have the label that names the job'],
  [redis && Object.entries(redis.spec.selector).every(([key, value]) => store.metadata.labels[key] === value), 'the Service of the Redis selects its pods'],
  [pod.spec.volumes.every(({ configMap }) => configMap.name === get('ConfigMap').metadata.name), 'the volume is the ConfigMap'],
]) {
  if (!holds) {
    faults.push(`not so: ${what}`);
  }
}
faults.forEach((fault) => console.log(`FAULTY ${fault}`));
process.exitCode = faults.length ? 1 : 0;
