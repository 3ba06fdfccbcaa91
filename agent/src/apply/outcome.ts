import {
  type HookProgress,
  type SyncTask,
  describeKey,
  keyOf,
  keyString,
  parseKeyString,
} from '@muster/kube';

/** How a sync ended. `errors` is by object key, in words without secrets. */
export interface SyncOutcome {
  phase: 'Succeeded' | 'Failed';
  message: string;
  errors: Map<string, string>;
  /** Objects of another Application, by key: left alone. */
  conflicts: Map<string, string>;
  /** Trying again by itself may help. */
  transient: boolean;
  /** A hook was run or something became unhealthy: not done again by itself. */
  settled: boolean;
  changed: number;
  pruned: number;
  /** What came of each hook that was begun. */
  hooks: HookProgress[];
  /** Milliseconds of the dry run and of the rest. */
  dryRunMs: number;
  applyMs: number;
}

/** What a sync did. `foreign`: left alone, as another tool tracks it. */
export interface Counts {
  changed: number;
  adopted: number;
  pruned: number;
  hooks: number;
  held: number;
  foreign: number;
}

/** `12 applied, 2 pruned, 1 hook`. */
export function describeSuccess(
  { changed, pruned, hooks, held, adopted, foreign }: Counts,
  note: string,
): string {
  const more = [
    ...(adopted > 0 ? [`${adopted} of them taken over`] : []),
    ...(pruned > 0 ? [`${pruned} pruned`] : []),
    ...(held > 0 ? [`${held} kept until someone confirms`] : []),
    ...(hooks > 0 ? [hooks === 1 ? '1 hook' : `${hooks} hooks`] : []),
    ...(foreign > 0 ? [`${foreign} left alone, as another tool tracks them`] : []),
  ];
  const text = [`${changed} applied`, ...more].join(', ');
  return note ? `${note}: ${text}` : text;
}

/** What a sync would do: `dry run: 2 to apply (ConfigMap shop/a, …), 1 to prune (…), 1 hook to run (…)`. */
export function describeDryRun(
  tasks: readonly SyncTask[],
  changed: ReadonlySet<string>,
  held: number,
  /** Keys of what another tool tracks and the sync takes over. */
  adopting: ReadonlySet<string> = new Set(),
): string {
  const keyed = tasks.map((task) => ({ ...task, key: keyOf((task.target ?? task.live)!) }));
  const named = (what: string, chosen: typeof keyed) => {
    if (chosen.length === 0) return [];
    const names = chosen.slice(0, 5).map(({ key }) => describeKey(key));
    return [`${chosen.length} ${what} (${names.join(', ')}${chosen.length > 5 ? ', …' : ''})`];
  };
  const applied = keyed.filter(
    ({ action, hook, key }) => action === 'apply' && !hook && changed.has(keyString(key)),
  );
  const hooks = keyed.filter(({ hook }) => hook);
  const parts = [
    ...named('to apply', applied),
    ...named(
      'of them to take over from another tool',
      applied.filter(({ key }) => adopting.has(keyString(key))),
    ),
    ...named(
      'to prune',
      keyed.filter(({ action }) => action === 'prune'),
    ),
    ...named(hooks.length === 1 ? 'hook to run' : 'hooks to run', hooks),
    ...(held > 0 ? [`${held} kept until someone confirms`] : []),
  ];
  return `dry run: ${parts.join(', ') || 'nothing to do'}`;
}

/** The first errors by name, and how many more there are. */
export function describeFailure(
  errors: Map<string, string>,
  conflicts: Map<string, string>,
  note: string,
): string {
  const lines = [...errors].map(([key, message]) => (key ? `${key}: ${message}` : message));
  for (const [key, owner] of conflicts) lines.push(conflictText(key, owner));
  const shown = lines.slice(0, 5).join('; ');
  const more = lines.length > 5 ? ` (and ${lines.length - 5} more)` : '';
  return `${note ? `${note}: ` : ''}${shown}${more}`;
}

/** Says whose an object is, in words: `ConfigMap shop/settings belongs to Application argocd/web`. */
export function conflictText(key: string, owner: string): string {
  const object = parseKeyString(key);
  return `${object ? describeKey(object) : key} belongs to Application ${owner}`;
}
