/** What the tests of rollouts ask and see of a fleet. */
import type { RolloutDetail, RolloutReplay } from '@muster/api';
import { Redis } from 'ioredis';
import { eventually } from '../../src/index.ts';
import type { Fleet } from '../fleet.ts';

/** The newest rollout of a set once it is of a commit and as described; a failure shows what it says of itself. */
export const rollout = (
  fleet: Fleet,
  name: string,
  sha: string,
  what: string,
  is: (rollout: RolloutDetail) => unknown,
  timeout = 60_000,
): Promise<RolloutDetail> =>
  eventually(
    async (see) => {
      const { items } = await fleet.client.rollouts.list({ owner: `argocd/${name}`, limit: 1 });
      see(items[0]?.to.label);
      if (!items[0]?.to.label.includes(sha.slice(0, 7))) return undefined;
      const found = await fleet.client.rollouts.get(items[0].id);
      see([found.phase, ...found.lines, found.targets.map(({ id, state, note }) => [id, state, note])]);
      return is(found) ? found : undefined;
    },
    { what: `the rollout of ${name} ${what}`, timeout },
  );
/** A commit was fetched, and there is nothing left to do. */
export const settled = (fleet: Fleet, sha: string) =>
  eventually(
    async (see) => {
      const seen = await fleet.sql('select 1 from tracked_revisions where commit = $1', [sha]);
      const due = 'not_before is null or not_before <= now()';
      const work = await fleet.sql(`select queue, key from outbox where queue <> 'maintenance' and (${due})`);
      return see([seen, work]) && seen.length > 0 && work.length === 0;
    },
    { what: 'the hub to have no work left' },
  );
/** State of each target, by cluster. */
export const states = ({ targets }: RolloutDetail) =>
  Object.fromEntries(targets.map(({ cluster, state }) => [cluster, state]));
/** When, by the hub's clock, what `subject` says first came to a state. */
export const whenIn = ({ transitions }: RolloutReplay, subject: RegExp, to: string) => {
  const found = transitions.find((one) => subject.test(one.subject) && one.to === to);
  if (!found) throw new Error(`nothing like ${subject} came to ${to}: ${JSON.stringify(transitions)}`);
  return Date.parse(found.at);
};

/** Targets that came to a state, as often as they did. */
export const times = ({ transitions }: RolloutReplay, to: string) =>
  transitions.filter((one) => one.subject.startsWith('target/') && one.to === to).map((one) => one.subject);

/** Kills the hub as soon as a target of the newest rollout of a set is in a state; Redis is empty then. */
export const killWhen = async (fleet: Fleet, name: string, sha: string, cluster: string, state: string) => {
  await eventually(
    async () => {
      const found = await fleet.sql(
        `select 1 from rollout_targets t join rollouts r on r.id = t.rollout_id
         where r.state->'to'->>'label' like $1 and t.data->>'application' = $2 and t.data->>'state' = $3`,
        [`%${sha.slice(0, 7)}%`, `argocd/${name}-${cluster}`, state],
      );
      return found.length > 0;
    },
    { what: `${name} in ${cluster} to be ${state}`, interval: 5, timeout: 60_000 },
  );
  await fleet.hub.kill();
  await flushQueue(fleet);
  await fleet.startHub();
};
/** Empties Redis, beside the hub's back; nothing where the queue is in PostgreSQL. */
export const flushQueue = async ({ redis: queue }: Fleet) => {
  if (!queue) return;
  const redis = new Redis(queue.url);
  await redis.flushall();
  redis.disconnect();
};
