import { done } from '@muster/base';
import type { JobHandler } from '../../queue/jobs.ts';
import type { GatesService } from './gates.service.ts';

/** One job for each gate that is open, and a look at what was lost. */
export function handlers(gates: GatesService): JobHandler[] {
  return [
    {
      queue: 'gates',
      prefix: 'gate',
      handle: (key, context) => gates.measure(key.slice('gate:'.length), context),
    },
    {
      queue: 'maintenance',
      prefix: 'gates',
      everySeconds: 30,
      handle: async () => {
        await gates.overlooked();
        return done;
      },
    },
  ];
}
