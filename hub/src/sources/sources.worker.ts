import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { SourcesService } from './sources.service.ts';

/** Job handlers of sources: fetches, and the poll that asks for them. */
export function handlers(sources: SourcesService): JobHandler[] {
  return [
    {
      queue: 'sources',
      prefix: 'repository',
      handle: (key, context) => sources.refresh(key.slice('repository:'.length), context),
    },
    {
      queue: 'maintenance',
      prefix: 'poll',
      everySeconds: 5,
      async handle() {
        await sources.poll();
        return done;
      },
    },
  ];
}
