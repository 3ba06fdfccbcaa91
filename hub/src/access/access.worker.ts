import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { AccessRepository } from './access.repository.ts';

export function handlers(repository: AccessRepository): JobHandler[] {
  return [
    {
      queue: 'maintenance',
      prefix: 'sessions',
      everySeconds: 3600,
      handle: async () => {
        await repository.deleteExpiredSessions();
        return done;
      },
    },
  ];
}
