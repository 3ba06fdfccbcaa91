import { MusterError } from '@muster/base';
import type { Ask, Command } from '@muster/proto/records';

/** All that a hub can have an agent do, by the name that settings and messages use. */
export const VERBS = {
  apply: 'write what a release says: objects, hooks, the destination namespace',
  prune: 'delete what a release no longer names',
  recreate: 'delete an object and make it anew, as Force asks',
  heal: 'put back what drifted',
  uninstall: 'delete the objects of an Application that is removed',
  orphan: 'take Muster’s marks off the objects of an Application that is removed',
  sync: 'begin a sync by command',
  terminate: 'end a running operation by command',
  confirm: 'let go, by command, what a guard holds back',
  refresh: 'compare again',
  diff: 'tell field-level differences, and what a sync would do',
  inspect: 'read the tree of resources, live manifests and events',
  logs: 'read the logs of pods',
  restart: 'restart a workload',
  scale: 'set the replicas of a workload',
  delete: 'delete one resource by command',
  action: 'run an action of a kind, such as promote of a Rollout',
  'run-job': 'run a Job for a gate of a rollout, and delete it',
} as const;

export type Verb = keyof typeof VERBS;

const ALL = Object.keys(VERBS) as Verb[];
/** Nothing of these changes anything in a cluster. */
const READING: readonly Verb[] = ['refresh', 'diff', 'inspect', 'logs'];
const DELETING: readonly Verb[] = ['prune', 'recreate', 'uninstall', 'confirm', 'delete'];

/** Sets of verbs by name. */
export const PRESETS: Readonly<Record<string, readonly Verb[]>> = {
  all: ALL,
  'observe-only': READING,
  'no-delete': ALL.filter((verb) => !DELETING.includes(verb)),
};

/** What an agent accepts; undefined: everything, also what it does not know yet. */
export type Accepted = ReadonlySet<string> | undefined;

/**
 * Reads a list of verbs and presets, separated by commas; `-verb` takes one away. A list that only takes away begins
 * with all. Undefined: all. Throws MusterError `invalid` for a word that is neither, and for a list that accepts nothing.
 */
export function parseVerbs(text: string): Accepted {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  const chosen = new Set<Verb>(words.every((word) => word.startsWith('-')) ? ALL : []);
  for (const word of words) {
    const away = word.startsWith('-');
    for (const verb of meaningOf(away ? word.slice(1) : word)) {
      if (away) chosen.delete(verb);
      else chosen.add(verb);
    }
  }
  if (chosen.size === 0)
    throw new MusterError('invalid', 'accepts nothing', { hint: 'observe-only is the least' });
  return chosen.size === ALL.length ? undefined : chosen;
}

function meaningOf(word: string): readonly Verb[] {
  const preset = Object.hasOwn(PRESETS, word) ? PRESETS[word] : undefined;
  if (preset) return preset;
  if (Object.hasOwn(VERBS, word)) return [word as Verb];
  const known = [...Object.keys(PRESETS), ...ALL].join(', ');
  throw new MusterError('invalid', `"${word}" is no verb and no preset`, { hint: `known are ${known}` });
}

/** Whether an agent that accepts these does what a verb names. */
export function accepts(accepted: Accepted, verb: Verb): boolean {
  return accepted === undefined || accepted.has(verb);
}

/** Whether it changes nothing in its cluster, whatever it is told. */
export function observesOnly(accepted: Accepted): boolean {
  return (
    accepted !== undefined && [...accepted].every((verb) => (READING as readonly string[]).includes(verb))
  );
}

/** `all`, the preset that says the same, or the verbs themselves. */
export function describeAccepted(accepted: Accepted): string {
  if (!accepted) return 'all';
  const same = Object.entries(PRESETS).find(
    ([, verbs]) => verbs.length === accepted.size && verbs.every((verb) => accepted.has(verb)),
  );
  return same?.[0] ?? [...accepted].join(', ');
}

type CommandCase = NonNullable<Command['verb']>['$case'];

/** What a command says that decides which verb it needs. */
export interface AskedOf {
  dryRun?: boolean;
  action?: string;
}

/** What a command asks of an agent. A dry run changes nothing: it is a diff. */
const NEEDED: Record<CommandCase, (asked: AskedOf) => Verb[]> = {
  sync: ({ dryRun }) => (dryRun ? ['diff'] : ['sync', 'apply']),
  refresh: () => ['refresh'],
  terminate: () => ['terminate'],
  diff: () => ['diff'],
  confirm: () => ['confirm', 'prune'],
  act: ({ action = '' }) => [verbOfAction(action)],
  runJob: () => ['run-job'],
};

/** The verb of an action on one object. */
export function verbOfAction(action: string): Verb {
  return action === 'restart' || action === 'scale' || action === 'delete' ? action : 'action';
}

/** The verb of a question about objects. */
export function verbOfAsk({ query }: Pick<Ask, 'query'>): Verb {
  return query?.$case === 'logs' ? 'logs' : 'inspect';
}

/**
 * Why an agent that accepts these verbs does not carry out a command, in words; undefined when it does. The hub asks
 * this before it signs, the agent before it acts. A command that nobody listed is refused by every limited agent.
 */
export function commandRefusal(accepted: Accepted, command: string, asked: AskedOf = {}): string | undefined {
  if (!accepted) return undefined;
  const needed = Object.hasOwn(NEEDED, command) ? NEEDED[command as CommandCase](asked) : undefined;
  if (!needed) return verbRefusal(accepted, command);
  const missing = needed.find((verb) => !accepted.has(verb));
  return missing && verbRefusal(accepted, missing);
}

/** Says that a verb is not accepted, and by which setting; undefined when it is. */
export function verbRefusal(accepted: Accepted, verb: string): string | undefined {
  if (!accepted || accepted.has(verb)) return undefined;
  return `the agent of this cluster does not accept ${verb}: it is set to ${describeAccepted(accepted)} (MUSTER_AGENT_VERBS, limits.verbs of its chart)`;
}
