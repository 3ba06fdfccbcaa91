import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { BundlesService } from '../releases/bundles.service.ts';
import { parseOwnerKey } from '../releases/owner.ts';
import type { RenderingService } from './rendering.service.ts';

/** Job handlers of rendering: one job an owner, and the sweep of bundles that nothing refers to. */
export function handlers(rendering: RenderingService, bundles: BundlesService): JobHandler[] {
  const render = (prefix: string): JobHandler => ({
    queue: 'render',
    prefix,
    handle: (key, context) => rendering.render(parseOwnerKey(key), context),
  });
  return [
    render('set'),
    render('application'),
    {
      queue: 'maintenance',
      prefix: 'sweep-bundles',
      everySeconds: 3600,
      async handle() {
        await bundles.sweep();
        return done;
      },
    },
  ];
}
