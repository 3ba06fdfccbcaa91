import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { ApplicationsService } from './applications.service.ts';

/** Maintenance of Applications: removals whose grace is over. */
export function handlers(applications: ApplicationsService): JobHandler[] {
  return [
    {
      queue: 'maintenance',
      prefix: 'leaving',
      everySeconds: 5,
      async handle() {
        await applications.leaving();
        return done;
      },
    },
  ];
}
