import { MusterError } from '@muster/base';
import { type KubeObject, isRecord, part } from '@muster/kube';
import type { RunJobCommand } from '@muster/proto/records';

/** Of the gate's command, on what runs for it. */
export const GATE_LABEL = 'muster.dev/gate';
const GATE_OF = 'muster.dev/gate-of';
/** It is removed at once when its end was seen; else after so long. */
const TTL_SECONDS = 600;
const MAX_DETAIL = 1_000;
const MAX_LINES = 5;

export function jobNameOf(commandId: string): string {
  return `muster-gate-${commandId}`;
}

/** The Job as it is made: what was asked for, with a name, a deadline and an end. Throws `invalid`. */
export function jobManifest(
  { manifest, deadlineSeconds }: Pick<RunJobCommand, 'manifest' | 'deadlineSeconds'>,
  at: { name: string; namespace: string; application: string },
): KubeObject {
  let written: unknown;
  try {
    written = JSON.parse(manifest);
  } catch {
    throw new MusterError('invalid', 'the manifest of the Job is no JSON');
  }
  if (
    !isRecord(written) ||
    written.apiVersion !== 'batch/v1' ||
    written.kind !== 'Job' ||
    !isRecord(written.spec)
  )
    throw new MusterError('invalid', 'the manifest is no Job of batch/v1');
  const metadata = isRecord(written.metadata) ? written.metadata : {};
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : at.namespace;
  if (!namespace)
    throw new MusterError(
      'invalid',
      'neither the Job nor the destination of the Application has a namespace',
    );
  const { activeDeadlineSeconds: own, ttlSecondsAfterFinished: ttl } = written.spec;
  const deadline = typeof own === 'number' ? Math.min(own, deadlineSeconds) : deadlineSeconds;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: at.name,
      namespace,
      labels: { ...strings(metadata.labels), [GATE_LABEL]: 'true' },
      annotations: { ...strings(metadata.annotations), [GATE_OF]: at.application },
    },
    spec: {
      ...written.spec,
      activeDeadlineSeconds: deadline,
      ttlSecondsAfterFinished: typeof ttl === 'number' ? ttl : TTL_SECONDS,
    },
  };
}

function strings(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  // Marks of Muster's own would make it part of the Application.
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && !entry[0].startsWith('muster.dev/'),
    ),
  );
}

/** How a Job ended; undefined: it runs. */
export function endOf(job: KubeObject): { succeeded: boolean; message: string } | undefined {
  const conditions = part(job, 'status', 'conditions');
  for (const one of Array.isArray(conditions) ? conditions : []) {
    if (!isRecord(one) || one.status !== 'True') continue;
    if (one.type === 'Complete') return { succeeded: true, message: 'the Job succeeded' };
    if (one.type === 'Failed')
      return { succeeded: false, message: String(one.message || one.reason || 'the Job failed') };
  }
  return undefined;
}

/** What the newest Pod that ended badly said last; else why it does not run. '' where nothing is known. */
export function lastWords(pods: readonly Record<string, unknown>[]): string {
  const newest = [...pods].sort((a, b) => createdAt(b).localeCompare(createdAt(a)));
  for (const pod of newest) {
    const words = wordsOf(pod);
    if (words) return words;
  }
  return '';
}

const createdAt = (pod: Record<string, unknown>) => String(part(pod, 'metadata', 'creationTimestamp') ?? '');

function wordsOf(pod: Record<string, unknown>): string {
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => {
    const each = part(pod, 'status', list);
    return Array.isArray(each) ? each.filter(isRecord) : [];
  });
  for (const status of statuses) {
    const ended = [part(status, 'state', 'terminated'), part(status, 'lastState', 'terminated')].find(
      (one) => isRecord(one) && one.exitCode !== 0,
    );
    if (isRecord(ended)) {
      const said =
        typeof ended.message === 'string' ? ended.message.trim().split('\n').slice(-MAX_LINES) : [];
      const head = `container ${String(status.name)} ended with ${String(ended.exitCode)} (${String(ended.reason ?? 'Error')})`;
      return said.length > 0 ? `${head}: ${said.join('\n')}` : head;
    }
    const waits = part(status, 'state', 'waiting');
    if (isRecord(waits) && waits.reason && waits.reason !== 'ContainerCreating')
      return `container ${String(status.name)} waits: ${[waits.reason, waits.message].filter(Boolean).join(', ')}`;
  }
  const message = part(pod, 'status', 'message') ?? part(pod, 'status', 'reason');
  return typeof message === 'string' ? message : '';
}

/** As the hub reads it. */
export function verdictMessage(job: 'succeeded' | 'failed' | 'lost', detail: string): string {
  return JSON.stringify({ job, detail: detail.slice(0, MAX_DETAIL) });
}
