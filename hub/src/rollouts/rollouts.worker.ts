import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import { parseOwnerKey } from '../releases/owner.ts';
import type { Outages } from './outages/outages.service.ts';
import type { RolloutSteps } from './rollout-steps.service.ts';
import type { RolloutTriggers } from './rollout-triggers.service.ts';

const EVERY_SECONDS = 5;

/** Job handlers of rollouts: one job a rollout, one an owner, and a look at what no transaction told. */
export function handlers(steps: RolloutSteps, triggers: RolloutTriggers, outages: Outages): JobHandler[] {
  const look = (prefix: string): JobHandler => ({
    queue: 'rollout',
    prefix,
    handle: (key, context) => steps.look(parseOwnerKey(key), context),
  });
  return [
    {
      queue: 'rollout',
      prefix: 'rollout',
      handle: (key, context) => steps.step(key.slice('rollout:'.length), context),
    },
    {
      queue: 'rollout',
      prefix: 'dependents',
      handle: (key, context) => triggers.dependents(key, context),
    },
    look('set'),
    look('application'),
    {
      queue: 'maintenance',
      prefix: 'rollouts',
      everySeconds: EVERY_SECONDS,
      handle: async () => {
        await outages.beat('queue');
        await triggers.overlooked();
        return done;
      },
    },
  ];
}
