import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { PromotionSteps } from './promotion-steps.service.ts';
import type { PromotionTriggers } from './promotion-triggers.service.ts';

const EVERY_SECONDS = 5;

/** Job handlers of promotions: one job a promotion, and a look at whose time has come. */
export function handlers(steps: PromotionSteps, triggers: PromotionTriggers): JobHandler[] {
  return [
    {
      queue: 'sources',
      prefix: 'promotion',
      handle: (key, context) => steps.look(key.slice('promotion:'.length), context),
    },
    {
      queue: 'maintenance',
      prefix: 'promotions',
      everySeconds: EVERY_SECONDS,
      handle: async () => {
        await triggers.due();
        return done;
      },
    },
  ];
}
