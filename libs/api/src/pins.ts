import { z } from 'zod';

const cluster = z.string().max(253).optional().describe('refused where the Application is in another one');

/** What keeps an Application at one release. */
export const PinView = z
  .object({
    release: z
      .object({ id: z.string(), number: z.number(), cause: z.string() })
      .optional()
      .describe('the one that it is kept at; left out: it is forgotten'),
    by: z.string(),
    reason: z.string(),
    since: z.iso.datetime(),
    until: z.iso.datetime().optional().describe('when it ends by itself'),
  })
  .meta({ id: 'Pin' });
export type PinView = z.infer<typeof PinView>;

export const PinRequest = z
  .strictObject({
    release: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('a number of its history; left out: what it holds now'),
    cluster,
    reason: z.string().min(1).max(1000),
    forSeconds: z
      .number()
      .int()
      .min(1)
      .max(31_536_000)
      .optional()
      .describe('left out: until somebody lets go of it'),
  })
  .meta({ id: 'PinRequest' });
export type PinRequest = z.infer<typeof PinRequest>;

export const UnpinRequest = z
  .strictObject({ cluster, reason: z.string().min(1).max(1000) })
  .meta({ id: 'UnpinRequest' });
export type UnpinRequest = z.infer<typeof UnpinRequest>;

export const Pinned = z
  .object({ pin: PinView, synced: z.enum(['automated', 'by-hand']).describe('who applies it') })
  .meta({ id: 'Pinned' });
export type Pinned = z.infer<typeof Pinned>;

export const Unpinned = z
  .object({ next: z.string().describe('what it holds from now on, in words') })
  .meta({ id: 'Unpinned' });
export type Unpinned = z.infer<typeof Unpinned>;
