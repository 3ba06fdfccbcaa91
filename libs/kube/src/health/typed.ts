import { isRecord } from '../object.ts';
import { FieldError } from './read.ts';

/**
 * The reference reads built-in kinds into Go types before it judges them, so that a time or a quantity that does not
 * parse, wherever it stands, makes the object Unknown. Paths are of keys; `*` is every element or value.
 */
const OF_ALL_TIMES = [
  'metadata.creationTimestamp',
  'metadata.deletionTimestamp',
  'metadata.managedFields.*.time',
];
const OF_CONDITIONS = ['status.conditions.*.lastTransitionTime'];
const OF_TEMPLATE = ['spec.template.metadata.creationTimestamp', 'spec.template.metadata.deletionTimestamp'];
const PROBED = [...OF_CONDITIONS, 'status.conditions.*.lastProbeTime'];
const CONTAINERS = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'];
const CLAIM_QUANTITIES = ['spec.resources.requests.*', 'spec.resources.limits.*', 'status.capacity.*'];

const TIMES: Record<string, string[]> = {
  'apps/Deployment': [...OF_TEMPLATE, ...OF_CONDITIONS, 'status.conditions.*.lastUpdateTime'],
  'apps/StatefulSet': [
    ...OF_TEMPLATE,
    ...OF_CONDITIONS,
    'spec.volumeClaimTemplates.*.metadata.creationTimestamp',
  ],
  'apps/ReplicaSet': [...OF_TEMPLATE, ...OF_CONDITIONS],
  'apps/DaemonSet': [...OF_TEMPLATE, ...OF_CONDITIONS],
  'batch/Job': [...OF_TEMPLATE, ...PROBED, 'status.startTime', 'status.completionTime'],
  '/Pod': [
    ...PROBED,
    'status.startTime',
    ...CONTAINERS.flatMap((list) =>
      ['state', 'lastState'].flatMap((state) => [
        `status.${list}.*.${state}.running.startedAt`,
        `status.${list}.*.${state}.terminated.startedAt`,
        `status.${list}.*.${state}.terminated.finishedAt`,
      ]),
    ),
  ],
  '/Service': OF_CONDITIONS,
  '/PersistentVolumeClaim': PROBED,
  'apiregistration.k8s.io/APIService': OF_CONDITIONS,
  'autoscaling/HorizontalPodAutoscaler': [...OF_CONDITIONS, 'status.lastScaleTime'],
};

const QUANTITIES: Record<string, string[]> = {
  ...Object.fromEntries(
    ['apps/Deployment', 'apps/StatefulSet', 'apps/ReplicaSet', 'apps/DaemonSet', 'batch/Job'].map((kind) => [
      kind,
      podQuantities('spec.template.spec'),
    ]),
  ),
  '/Pod': podQuantities('spec'),
  '/PersistentVolumeClaim': CLAIM_QUANTITIES,
  'autoscaling/HorizontalPodAutoscaler': [
    'resource',
    'containerResource',
    'pods',
    'object',
    'external',
  ].flatMap((source) =>
    ['value', 'averageValue'].flatMap((of) => [
      `spec.metrics.*.${source}.target.${of}`,
      `status.currentMetrics.*.${source}.current.${of}`,
    ]),
  ),
};
QUANTITIES['apps/StatefulSet']!.push(
  'spec.volumeClaimTemplates.*.spec.resources.requests.*',
  'spec.volumeClaimTemplates.*.spec.resources.limits.*',
);

function podQuantities(spec: string): string[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
    ['requests', 'limits'].map((of) => `${spec}.${list}.*.resources.${of}.*`),
  );
}

/** Throws FieldError for a time or a quantity of a built-in kind (`group/Kind`) that does not parse. */
export function checkTyped(object: unknown, kind: string): void {
  for (const path of [...OF_ALL_TIMES, ...(TIMES[kind] ?? [])]) each(object, path.split('.'), checkTime);
  for (const path of QUANTITIES[kind] ?? []) each(object, path.split('.'), checkQuantity);
}

/** Calls `look` with what is at a path; absent and null are what no type minds. */
function each(value: unknown, path: readonly string[], look: (value: unknown) => void): void {
  if (value === undefined || value === null) return;
  const [key, ...rest] = path;
  if (key === undefined) return look(value);
  if (key === '*') {
    if (typeof value === 'object') for (const member of Object.values(value)) each(member, rest, look);
  } else if (isRecord(value) && Object.hasOwn(value, key)) each(value[key], rest, look);
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Whether a value is a time as RFC 3339 writes it. */
export function isTime(value: unknown): boolean {
  const parts = typeof value === 'string' ? RFC3339.exec(value)?.slice(1).map(Number) : undefined;
  if (!parts) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= last && hour < 24 && minute < 60 && second < 60;
}

function checkTime(value: unknown): void {
  if (!isTime(value)) throw new FieldError(`${JSON.stringify(value)} is not a time as RFC 3339 writes it`);
}

const QUANTITY = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/;

function checkQuantity(value: unknown): void {
  if (typeof value === 'number' || (typeof value === 'string' && QUANTITY.test(value.trim()))) return;
  throw new FieldError(`${JSON.stringify(value)} is not a quantity`);
}
