import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { RootSync } from './root-sync.service.ts';
import type { RootTriggers } from './root-triggers.service.ts';

/** Job handlers of roots: one run a root, and the sweep of those that nobody told of a change. */
export function handlers(sync: RootSync, triggers: RootTriggers): JobHandler[] {
  return [
    {
      queue: 'expand',
      prefix: 'root',
      handle: (key, context) => sync.run(key.slice('root:'.length), context),
    },
    {
      queue: 'maintenance',
      prefix: 'roots',
      everySeconds: 30,
      async handle() {
        await triggers.sweep();
        return done;
      },
    },
  ];
}
