import { parseArgs } from 'node:util';
import { MusterError } from '@muster/base';
import type { Odds } from './behaviour.ts';

export interface SimulateOptions {
  agents: number;
  sets: number;
  groups: number;
  /** Rollouts one after the other, of every set at once. */
  rollouts: number;
  slots: number | undefined;
  soakSeconds: number;
  deadlineSeconds: number;
  seed: number;
  skewSeconds: number;
  /** Part of the agents that is cut off each ten seconds. */
  storms: number;
  odds: Partial<Odds>;
  dir: string;
  keep: boolean;
  help: boolean;
}

export const HELP = `npm run simulate -- [--agents 1000] [--rollouts 3] …

Starts a hub and agents whose clusters are simulated: identities, sessions, signatures and reports are real, what is
applied is not. Each rollout is a commit that goes through five stages of every ApplicationSet. Prints what came of it.

  --agents N       agents, all in one process (default 100)
  --sets N         ApplicationSets (default 1); each is over the clusters of one group
  --groups N       how many groups the clusters are in (default 1)
  --rollouts N     commits, one after the other (default 3)
  --slots N        maxConcurrent of every stage (default: no limit)
  --soak S         seconds that a target has to be healthy (default 0)
  --deadline S     seconds until a target that is not healthy has failed (default 120)
  --degraded P     part of the targets that become Degraded, 0 to 1; also --stuck, --silent, --flapping
  --skew S         clocks of clusters are wrong by up to so many seconds, both ways (default 0)
  --storms P       part of the agents whose connections are cut every ten seconds (default 0)
  --seed N         what is drawn is drawn by it (default 1)
  --dir FOLDER     where the hub keeps its data and the agents their identities (default .muster/simulator)
  --keep           go on from the last run in that folder: nobody enrols again
  --help           this text
`;

/** Reads the command line. Throws MusterError `invalid` that names what it does not know. */
export function readOptions(args: readonly string[], root: string): SimulateOptions {
  let values: Record<string, string | boolean | undefined>;
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    ({ values } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(NUMBERS.map((name) => [name, text])),
        dir: text,
        keep: flag,
        help: { ...flag, short: 'h' },
      },
    }));
  } catch (cause) {
    throw new MusterError('invalid', (cause as Error).message, { hint: 'npm run simulate -- --help', cause });
  }
  const count = (name: (typeof NUMBERS)[number], unset: number, min = 0, max = 100_000) => {
    const written = values[name];
    const number = written === undefined ? unset : Number(written);
    if (!(number >= min && number <= max))
      throw new MusterError('invalid', `"${written}" is not between ${min} and ${max}`, {
        where: `--${name}`,
      });
    return number;
  };
  const part = (name: (typeof NUMBERS)[number]) => count(name, 0, 0, 1);
  return {
    agents: count('agents', 100, 1, 10_000),
    sets: count('sets', 1, 1, 1_000),
    groups: count('groups', 1, 1),
    rollouts: count('rollouts', 3),
    slots: values['slots'] === undefined ? undefined : count('slots', 1, 1),
    soakSeconds: count('soak', 0),
    deadlineSeconds: count('deadline', 120, 1),
    seed: count('seed', 1, 0, 2 ** 31),
    skewSeconds: count('skew', 0),
    storms: part('storms'),
    odds: {
      degraded: part('degraded'),
      stuck: part('stuck'),
      silent: part('silent'),
      flapping: part('flapping'),
    },
    dir: (values['dir'] as string | undefined) ?? `${root}/.muster/simulator`,
    keep: values['keep'] === true,
    help: values['help'] === true,
  };
}

const NUMBERS = [
  'agents',
  'sets',
  'groups',
  'rollouts',
  'slots',
  'soak',
  'deadline',
  'seed',
  'skew',
  'storms',
  'degraded',
  'stuck',
  'silent',
  'flapping',
] as const;
