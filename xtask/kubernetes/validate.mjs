// node validate.mjs FILE VERSION: every manifest in it against the schema of its kind.
import { readFile } from 'node:fs/promises';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { parseAllDocuments } from 'yaml';

const KINDS = {
  'apps/v1 Deployment': Deployment,
  'v1 ConfigMap': ConfigMap,
  'v1 Service': Service,
  'monitoring.coreos.com/v1 PodMonitor': PodMonitor,
  'monitoring.coreos.com/v1 PrometheusRule': PrometheusRule,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
};

const text = await readFile(process.argv[2], 'utf8');
const manifests = parseAllDocuments(text).map((document) => document.toJS()).filter(Boolean);

const faults = [];
for (const manifest of manifests) {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const name = `${kind} ${manifest.metadata.name}`;
  const Kind = KINDS[kind];
  try {
    if (!Kind) {
      throw new Error('no schema is known here');
    }
    new Kind(manifest).validate();
    console.log(`ok     ${name}`);
  } catch (error) {
    faults.push(`${name}: ${error.message}`);
  }
}

// What no schema sees: that the names lead to each other.
const all = (kind) => manifests.filter((manifest) => manifest.kind === kind);
const get = (kind, name = 'brightstaff') => all(kind).find(({ metadata }) => metadata.name === name);
const [service, monitor, budget] = ['Service', 'PodMonitor', 'PodDisruptionBudget'].map((kind) => get(kind).spec);
const pods = { brightstaff: get('Deployment'), redis: get('Deployment', 'brightstaff-redis') };
const pod = pods.brightstaff.spec.template;
const redis = get('Service', 'brightstaff-redis').spec;
const selects = (selector, { spec: { template } }) =>
  Object.entries(selector).every(([key, value]) => template.metadata.labels[key] === value);
const ports = ({ spec: { template } }) =>
  template.spec.containers.flatMap((container) => container.ports.map(({ name }) => name));
const named = (rules) => rules.flatMap((rule) => rule.ports ?? []).filter(({ port }) => typeof port === 'string');
const policies = all('NetworkPolicy').map(({ metadata, spec }) => ({
  name: metadata.name,
  pods: Object.values(pods).filter((pod) => selects(spec.podSelector.matchLabels, pod)),
  ingress: named(spec.ingress ?? []),
  egress: named(spec.egress ?? []),
}));
// What `kubectl apply` keeps of it in an annotation.
const LAST_APPLIED_MAX_BYTES = 256 << 10;
const dashboards = all('ConfigMap').filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
for (const [holds, what] of [
  [selects(pods.brightstaff.spec.selector.matchLabels, pods.brightstaff), 'the Deployment selects its pods'],
  [selects(service.selector, pods.brightstaff), 'the Service selects the pods'],
  [selects(monitor.selector.matchLabels, pods.brightstaff), 'the PodMonitor selects the pods'],
  [selects(budget.selector.matchLabels, pods.brightstaff), 'the PodDisruptionBudget selects the pods'],
  [service.ports.every(({ targetPort }) => ports(pods.brightstaff).includes(targetPort)), 'the Service leads to a port of the pods'],
  [monitor.podMetricsEndpoints?.every(({ port }) => ports(pods.brightstaff).includes(port)), 'the PodMonitor scrapes a port of the pods'],
  [monitor.jobLabel in pod.metadata.labels, 'the pods have the label that names the job'],
  [selects(redis.selector, pods.redis), 'the Service of the Redis selects its pods'],
  [policies.every(({ pods }) => pods.length === 1), 'every NetworkPolicy selects the pods of one Deployment'],
  [policies.every(({ pods: [pod], ingress }) => ingress.every(({ port }) => ports(pod).includes(port))), 'the NetworkPolicies let in to ports of their pods'],
  [policies.every(({ egress }) => egress.every(({ port }) => ports(pods.redis).includes(port))), 'the NetworkPolicies let out to ports of the Redis'],
  [pod.spec.volumes.every(({ configMap }) => configMap.name === get('ConfigMap').metadata.name), 'the volume is the ConfigMap'],
  [pod.spec.containers[0].image.endsWith(`:${process.argv[3]}`), `the image is of version ${process.argv[3]}`],
  [dashboards.length === 3, 'all three dashboards are there'],
  [dashboards.every(({ data }) => Object.values(data).every((text) => JSON.parse(text).uid)), 'the dashboards are dashboards'],
  [dashboards.every((map) => JSON.stringify(map).length < LAST_APPLIED_MAX_BYTES), 'each dashboard can be applied'],
  [manifests.every(({ metadata }) => metadata.namespace === 'plano'), 'everything is in the namespace'],
]) {
  if (!holds) {
    faults.push(`not so: ${what}`);
  }
}
faults.forEach((fault) => console.log(`FAULTY ${fault}`));
process.exitCode = faults.length ? 1 : 0;
