import { z } from 'zod';

/** The body of every answer with a status of 400 and above: `application/problem+json` (RFC 9457). */
export const Problem = z
  .object({
    type: z.string().describe('about:blank, or a page about the code'),
    title: z.string(),
    status: z.number().int(),
    code: z
      .string()
      .describe(
        'invalid, unauthenticated, forbidden, not-found, conflict, precondition, limit, unavailable, unsupported or internal',
      ),
    detail: z.string(),
    where: z.string().optional().describe('field path, file:line or object'),
    hint: z.string().optional(),
    instance: z.string().optional().describe('id of the request, as in the log of the hub'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof Problem>;
