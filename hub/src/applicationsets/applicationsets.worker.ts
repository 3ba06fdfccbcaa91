import type { JobHandler } from '../queue/jobs.ts';
import type { ExpansionService } from './expansion.service.ts';

/** Job handlers of ApplicationSets: one expansion a set. */
export function handlers(expansion: ExpansionService): JobHandler[] {
  return [
    {
      queue: 'expand',
      prefix: 'set',
      handle: (key, context) => expansion.expand(key.slice('set:'.length), context),
    },
  ];
}
