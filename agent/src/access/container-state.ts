import { type KubeObject, isRecord, part } from '@muster/kube';

/** How a container of a Pod is, for whoever follows its log. */
export interface ContainerState {
  /** Its run: another one after each restart; '' before the first. */
  run: string;
  is: 'waiting' | 'running' | 'ended';
  /** Why it waits, or how it ended. */
  reason: string;
  /** It ended, and nothing will start it again. */
  final: boolean;
}

/** Reasons to wait that everyone expects. */
const STARTING = new Set(['ContainerCreating', 'PodInitializing', '']);

/** The state of a container by the status of its Pod. Pure. */
export function containerState(pod: KubeObject, container: string): ContainerState {
  const status = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']
    .flatMap((list) => {
      const each = part(pod, 'status', list);
      return Array.isArray(each) ? each.filter(isRecord) : [];
    })
    .find(({ name }) => name === container);
  const phase = String(part(pod, 'status', 'phase') ?? '');
  const over = phase === 'Succeeded' || phase === 'Failed';
  const state = isRecord(status?.state) ? status.state : {};
  // Some runtimes name no containers.
  const run = text(status?.containerID) || (status ? `restart ${String(status.restartCount ?? 0)}` : '');
  if (isRecord(state.terminated)) {
    const { reason, exitCode } = state.terminated;
    const how = [text(reason), exitCode === undefined ? '' : `exit code ${String(exitCode)}`];
    return { run, is: 'ended', reason: how.filter(Boolean).join(', '), final: over };
  }
  if (over) return { run, is: 'ended', reason: phase, final: true };
  if (isRecord(state.running)) return { run, is: 'running', reason: '', final: false };
  const waiting = isRecord(state.waiting) ? text(state.waiting.reason) : '';
  return { run, is: 'waiting', reason: STARTING.has(waiting) ? '' : waiting, final: false };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
