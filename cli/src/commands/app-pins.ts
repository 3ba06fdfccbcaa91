import type { HubClient } from '@muster/api/client';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Host, verb } from '../host.ts';
import { parseDuration, parseTarget } from '../names.ts';

interface PinOptions {
  release?: string;
  current?: true;
  for?: number;
  reason: string;
}

/** Operators' overrides. */
export function appPinCommands(app: Command, host: Host): void {
  verb(app, 'pin <target>', {
    summary: 'Keep an Application at one release, whatever is newer',
    details:
      'TARGET is APP, or SET@CLUSTER for the one of an ApplicationSet in a cluster. No rollout moves it, it counts in none, and drift is put back to that release. Removing the Application or its cluster works as ever.',
    examples: [
      'muster app pin web-eu --reason "incident 42"             # at what it holds now',
      'muster app pin web@prod-eu --release 41 --for 24h --reason "errors in checkout"',
    ],
  })
    .option('--release <number>', 'a release of its history: muster app history')
    .option('--current', 'what it holds now (the default)')
    .option('--for <duration>', 'let go of it after so long, for example 24h', parseDuration)
    .requiredOption('--reason <text>', 'for whoever wonders, and the audit log')
    .action(
      host.run(async ({ client, terminal }, given: string, options: PinOptions) => {
        const { release, current, for: forSeconds, reason } = options;
        if (release !== undefined && current) throw new UsageError('--release or --current, not both');
        const number = release === undefined ? {} : { release: releaseNumber(release) };
        const hub = client();
        const { namespace, name, cluster } = await resolveTarget(hub, given);
        const { pin, synced } = await hub.applications.pin(namespace, name, {
          ...number,
          ...(cluster === undefined ? {} : { cluster }),
          ...(forSeconds === undefined ? {} : { forSeconds }),
          reason,
        });
        const at = pin.release ? `release ${pin.release.number} (${pin.release.cause})` : 'what it holds';
        terminal.out(
          `application/${namespace}/${name} pinned at ${at}${pin.until ? ` until ${pin.until}` : ''}`,
        );
        if (synced === 'by-hand') terminal.note(`It is synced by hand: muster app sync ${namespace}/${name}`);
      }),
    );
  verb(app, 'unpin <target>', {
    summary: 'Let go of an Application that is pinned',
    details:
      'It gets its newest release, or waits for its turn in the rollout that is on its way. TARGET is as of `muster app pin`.',
    examples: ['muster app unpin web-eu --reason "fixed in 1.4.2"'],
  })
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      host.run(async ({ client, terminal }, given: string, { reason }: { reason: string }) => {
        const hub = client();
        const { namespace, name, cluster } = await resolveTarget(hub, given);
        const { next } = await hub.applications.unpin(namespace, name, {
          ...(cluster === undefined ? {} : { cluster }),
          reason,
        });
        terminal.out(`application/${namespace}/${name} unpinned: ${next}`);
      }),
    );
}

function releaseNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError('--release takes the number of a release: muster app history shows them');
}

/** `SET@CLUSTER` means the one Application of the set there, `APP@CLUSTER` the Application if it is there. */
async function resolveTarget(
  { applications }: HubClient,
  given: string,
): Promise<{ namespace: string; name: string; cluster?: string }> {
  const target = parseTarget(given);
  const { namespace, name, cluster } = target;
  if (cluster === undefined) return target;
  const { items } = await applications.list({ set: `${namespace}/${name}`, cluster, limit: 2 });
  if (items.length > 1)
    throw new UsageError(
      `ApplicationSet ${namespace}/${name} has several Applications in ${cluster}`,
      `name one: muster app list --set ${namespace}/${name} --cluster ${cluster}`,
    );
  const [only] = items;
  return only ? { namespace: only.namespace, name: only.name, cluster } : target;
}
