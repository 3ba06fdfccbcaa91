import { z } from 'zod';

const Counts = z.record(z.string(), z.number().int());

export const FleetSummary = z
  .object({
    clusters: z.object({
      total: z.number().int(),
      byState: Counts,
      connected: z.number().int(),
      silent: z.number().int(),
      never: z.number().int(),
    }),
    applications: z.object({
      total: z.number().int(),
      bySync: Counts.describe('Unknown: never reported, or its cluster is silent'),
      byHealth: Counts,
    }),
    rollouts: z.object({
      moving: z.number().int().describe('on their way, or waiting for their turn'),
      stopped: z.number().int().describe('they wait for somebody: failed, or paused'),
      goingBack: z.number().int(),
      takenBack: z.number().int().describe('owners whose newest rollout was taken back'),
    }),
    promotions: z.object({
      asking: z.number().int().describe('they wait for an approval'),
    }),
    recovering: z.boolean(),
    unclaimed: z.number().int(),
    at: z.iso.datetime(),
  })
  .meta({ id: 'FleetSummary' });
export type FleetSummary = z.infer<typeof FleetSummary>;
