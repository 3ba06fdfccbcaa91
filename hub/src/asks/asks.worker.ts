import { done } from '@muster/base';
import type { JobHandler } from '../queue/jobs.ts';
import type { AsksService } from './asks.service.ts';

/** `maintenance/asks`: what a replica that died was waiting for goes. */
export function handlers(asks: AsksService): JobHandler[] {
  return [
    {
      queue: 'maintenance',
      prefix: 'asks',
      everySeconds: 60,
      handle: async () => {
        await asks.sweep();
        return done;
      },
    },
  ];
}
