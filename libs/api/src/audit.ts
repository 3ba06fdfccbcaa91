import { z } from 'zod';
import { PageQuery, pageOf } from './paging.ts';

export const AuditRecord = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    actor: z.string(),
    action: z.string(),
    object: z.string(),
    project: z.string().optional(),
    reason: z.string().optional(),
    details: z.record(z.string(), z.unknown()),
    remoteAddress: z.string().optional(),
  })
  .meta({ id: 'AuditRecord' });
export type AuditRecord = z.output<typeof AuditRecord>;

export const AuditQuery = PageQuery.extend({
  actor: z.string().optional(),
  action: z.string().optional().describe('cluster.approve, or cluster.* for a family'),
  object: z.string().optional(),
  project: z.string().optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
});
export type AuditQuery = z.output<typeof AuditQuery>;

export const AuditPage = pageOf(AuditRecord).meta({ id: 'AuditPage' });
export type AuditPage = z.output<typeof AuditPage>;
