import { done } from '@muster/base';
import type { JobHandler } from '../../queue/jobs.ts';
import type { PinsService } from './pins.service.ts';

const EVERY_SECONDS = 5;

/** Pins that end by themselves. */
export function handlers(pins: PinsService): JobHandler[] {
  return [
    {
      queue: 'maintenance',
      prefix: 'pins',
      everySeconds: EVERY_SECONDS,
      handle: async () => {
        await pins.expire();
        return done;
      },
    },
  ];
}
