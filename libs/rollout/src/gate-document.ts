import { parseGoDuration, problemsOfWindow } from '@muster/kube';
import { z } from 'zod';

/** The written form of gates; `gate-manifest.ts` fills in what is left out. */

export const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'is not a DNS label (lower-case letters, digits and -)');
const text = z.string().min(1).max(10_000);

export const duration = z.string().transform((written, context) => {
  const ms = /^\d+$/.test(written) ? undefined : parseGoDuration(written);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${written}" is no duration such as 30s, 10m or 1h30m` });
  return z.NEVER;
});

const between = (least: number, most: number, words: string) =>
  duration.refine((ms) => ms >= least && ms <= most, `is not between ${words}`);

const time = z.string().transform((written, context) => {
  const ms = /^\d{4}-\d\d-\d\dT/.test(written) ? Date.parse(written) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  context.addIssue({ code: 'custom', message: `"${written}" is no time such as 2026-12-24T18:00:00Z` });
  return z.NEVER;
});

const window = z
  .union([
    z.strictObject({
      kind: z.enum(['allow', 'deny']),
      schedule: text,
      duration: text,
      timeZone: z.string().default('UTC'),
      reason: text.max(200).optional(),
    }),
    z.strictObject({
      kind: z.enum(['allow', 'deny']),
      from: time,
      until: time,
      reason: text.max(200).optional(),
    }),
  ])
  .transform((written, context) => {
    const deny = written.kind === 'deny';
    const why = written.reason === undefined ? {} : { reason: written.reason };
    if ('from' in written) {
      if (written.from >= written.until)
        context.addIssue({ code: 'custom', message: 'ends before it begins', path: ['until'] });
      return { deny, ...why, fromMs: written.from, untilMs: written.until };
    }
    for (const problem of problemsOfWindow(written))
      context.addIssue({
        code: 'custom',
        message: problem.replace(/^\w+: /, ''),
        path: [problem.split(':')[0]!],
      });
    const { schedule, timeZone } = written;
    return { deny, ...why, schedule, timeZone, durationMs: parseGoDuration(written.duration) ?? 0 };
  });
export const windows = z.array(window).max(50);

export const approval = z.strictObject({
  groups: z.array(text).max(50).default([]),
  count: z.int().min(1).max(20).default(1),
  expires: duration.default(7 * 24 * 3_600_000),
});

/** What every measurement may say. */
const probe = {
  interval: between(1_000, 86_400_000, '1s and 24h').default(60_000),
  initialDelay: between(0, 7 * 86_400_000, '0s and 168h').optional(),
  failures: z.int().min(0).max(1000).default(0),
  successes: z.int().min(1).max(1000).default(1),
  timeout: between(1_000, 60_000, '1s and 1m').default(10_000),
  deadline: between(1_000, 7 * 86_400_000, '1s and 168h').default(600_000),
};

const prometheus = z.strictObject({
  query: text,
  condition: text
    .regex(/^(<|<=|>|>=|==|!=)\s*-?\d+(\.\d+)?(e-?\d+)?$/i, 'is no comparison with a number such as "< 0.01"')
    .optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  from: z.enum(['hub', 'cluster']).default('cluster'),
  service: z
    .string()
    .max(200)
    .regex(
      /^[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9]*:\d{1,5}$/,
      'is no service such as monitoring/prometheus:9090',
    )
    .optional(),
  noData: z.enum(['ok', 'bad', 'unknown']).default('unknown'),
  ...probe,
});

const status = z.union([z.int(), z.string()]).transform((written, context) => {
  const found = /^([1-5])(?:xx|(\d\d)(?:-([1-5]\d\d))?)$/.exec(String(written));
  if (found) {
    const from = Number(`${found[1]}${found[2] ?? '00'}`);
    const to = found[2] === undefined ? from + 99 : Number(found[3] ?? from);
    if (from <= to) return { from, to };
  }
  const message = `${JSON.stringify(written)} is no status such as 200, "2xx" or "200-204"`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const http = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'is no URL that starts with http:// or https://' })
    .max(2000)
    .refine((url) => !/^https?:\/\/[^/]*@/.test(url), 'names a user: use headersFrom'),
  method: z.enum(['GET', 'HEAD', 'POST']).default('GET'),
  statuses: z.array(status).min(1).max(50).optional(),
  body: z
    .strictObject({
      json: z.string().max(500).optional(),
      equals: z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]).optional(),
      matches: z.string().min(1).max(1000).optional(),
    })
    .optional(),
  headersFrom: name.optional(),
  over: z.enum(['soak', 'once']).optional(),
  ...probe,
});

const job = z.strictObject({
  manifest: z.record(z.string(), z.unknown()),
  run: z.enum(['each', 'first']).default('each'),
  absent: z.enum(['ok', 'unknown']).optional(),
  deadline: between(1_000, 12 * 3_600_000, '1s and 12h').default(600_000),
});

export const gate = z.strictObject({
  name,
  at: z.enum(['entry', 'end']).optional(),
  approval: approval.optional(),
  windows: windows.min(1).optional(),
  prometheus: prometheus.optional(),
  http: http.optional(),
  job: job.optional(),
});

export type WrittenGate = z.infer<typeof gate>;
export type WrittenApproval = z.infer<typeof approval>;
