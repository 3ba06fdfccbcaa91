import type { ApplicationWindows, WindowView } from '@muster/api';
import {
  type Project,
  activeUntil,
  nextStart,
  problemsOfWindow,
  syncAllowed,
  windowConcerns,
  windowsFor,
} from '@muster/kube';
import type { NamedCluster } from './project-policy.ts';

type Written = NonNullable<Project['spec']['syncWindows']>[number];

/** The windows of a project as users see them, judged by a time in Unix milliseconds. */
export function windowViews(windows: readonly Written[], nowMs: number): WindowView[] {
  return windows.map((window) => {
    const problem = problemsOfWindow(window).join('; ');
    const [read] = problem ? [] : windowsFor([{ ...window, applications: ['*'] }], ANY);
    const closes = read && activeUntil(read, nowMs);
    const opens = read && nextStart(read, nowMs);
    return {
      kind: window.kind ?? '',
      schedule: window.schedule ?? '',
      timeZone: window.timeZone || 'UTC',
      duration: window.duration ?? '',
      manualSync: window.manualSync ?? false,
      applications: window.applications ?? [],
      namespaces: window.namespaces ?? [],
      clusters: window.clusters ?? [],
      ...(window.description ? { description: window.description } : {}),
      open: closes !== undefined,
      ...(closes === undefined ? {} : { closesAt: new Date(closes).toISOString() }),
      ...(opens === undefined ? {} : { opensAt: new Date(opens).toISOString() }),
      ...(problem ? { problem } : {}),
    };
  });
}

const ANY = { application: '', namespace: '', cluster: { name: '', server: '' } };

/** What the windows of a project let begin of one Application, and those that hold for it. */
export function applicationWindows(
  windows: readonly Written[],
  cluster: NamedCluster,
  { name, namespace }: { name: string; namespace: string },
  nowMs: number,
): ApplicationWindows {
  const target = { application: name, namespace, cluster };
  const decide = (manual: boolean) => {
    const decision = syncAllowed(windowsFor(windows, target), nowMs, manual);
    if (decision.allowed) return { allowed: true };
    const { reason, untilMs } = decision;
    return { allowed: false, reason, ...(untilMs ? { until: new Date(untilMs).toISOString() } : {}) };
  };
  const concerning = windows.filter((window) => windowConcerns(window, target));
  return { items: windowViews(concerning, nowMs), automated: decide(false), manual: decide(true) };
}
