import { groupKindString, isRecord, type KubeObject, keyOf } from '../object.ts';

/** A short fact of an object to show beside its name. */
export interface ObjectFact {
  name: string;
  value: string;
}

/** What people want to know of an object at a glance; empty for most kinds. Never holds values of Secrets. */
export function factsOf(object: KubeObject): ObjectFact[] {
  const facts = (READERS[groupKindString(keyOf(object))] ?? none)(object);
  return facts.filter(({ value }) => value !== '').slice(0, 6);
}

type Reader = (object: KubeObject) => ObjectFact[];

const none: Reader = () => [];
const REVISION = 'deployment.kubernetes.io/revision';

const READERS: Record<string, Reader> = {
  Pod: podFacts,
  'apps/ReplicaSet': (object) => [
    { name: 'revision', value: object.metadata.annotations?.[REVISION] ?? rolloutRevision(object) },
    ready(object),
  ],
  'apps/Deployment': (object) => [ready(object)],
  'apps/StatefulSet': (object) => [ready(object)],
  'argoproj.io/Rollout': (object) => [
    ready(object),
    { name: 'phase', value: text(part(object, 'status', 'phase')) },
    { name: 'step', value: stepOf(object) },
  ],
  'argoproj.io/AnalysisRun': (object) => [{ name: 'phase', value: text(part(object, 'status', 'phase')) }],
  'apps/ControllerRevision': (object) => [{ name: 'revision', value: text(object.revision) }],
  'batch/CronJob': (object) => [
    { name: 'schedule', value: text(part(object, 'spec', 'schedule')) },
    { name: 'suspended', value: part(object, 'spec', 'suspend') === true ? 'yes' : '' },
  ],
  PersistentVolumeClaim: (object) => [
    { name: 'phase', value: text(part(object, 'status', 'phase')) },
    { name: 'size', value: text(part(object, 'status', 'capacity', 'storage')) },
  ],
};

function podFacts(pod: KubeObject): ObjectFact[] {
  const containers = list(part(pod, 'spec', 'containers'));
  const statuses = list(part(pod, 'status', 'containerStatuses'));
  const restarts = statuses.reduce((sum, each) => sum + (Number(each.restartCount) || 0), 0);
  return [
    { name: 'status', value: podStatus(pod, statuses) },
    {
      name: 'ready',
      value: `${statuses.filter(({ ready: is }) => is === true).length}/${containers.length}`,
    },
    { name: 'restarts', value: restarts > 0 ? String(restarts) : '' },
    { name: 'node', value: text(part(pod, 'spec', 'nodeName')) },
    { name: 'containers', value: containers.map(({ name }) => text(name)).join(',') },
  ];
}

/** As `kubectl get pods` words it. */
function podStatus(pod: KubeObject, statuses: Record<string, unknown>[]): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  for (const { state } of statuses) {
    const reason = text(part(state, 'waiting', 'reason')) || text(part(state, 'terminated', 'reason'));
    if (reason) return reason;
  }
  return text(part(pod, 'status', 'reason')) || text(part(pod, 'status', 'phase'));
}

function ready(object: KubeObject): ObjectFact {
  const wanted = part(object, 'spec', 'replicas') ?? 1;
  return { name: 'ready', value: `${Number(part(object, 'status', 'readyReplicas')) || 0}/${text(wanted)}` };
}

function rolloutRevision(object: KubeObject): string {
  return object.metadata.annotations?.['rollout.argoproj.io/revision'] ?? '';
}

function stepOf(object: KubeObject): string {
  const steps = part(object, 'spec', 'strategy', 'canary', 'steps');
  const index = part(object, 'status', 'currentStepIndex');
  return Array.isArray(steps) && steps.length > 0 ? `${Number(index) || 0}/${steps.length}` : '';
}

/** The member at a path; undefined where there is none. */
export function part(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), value);
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
