import { z } from 'zod';

/** What changed, on `GET /api/v1/events`. */
export const EventKind = z.enum([
  'application',
  'applicationset',
  'cluster',
  'command',
  'repository',
  'project',
  'rollout',
  'promotion',
]);
export type EventKind = z.output<typeof EventKind>;

/** `data` of an SSE `change` event: read the named objects again. `event: resync` means: read everything again. */
export const Change = z.object({ kind: EventKind, keys: z.array(z.string()) }).meta({ id: 'Change' });
export type Change = z.output<typeof Change>;
