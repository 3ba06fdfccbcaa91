import type { ListApplications } from '@muster/api';
import { allItems } from '@muster/api/client';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import type { Context } from '../host.ts';
import { oneOf, parseName } from '../names.ts';

/** What picks Applications. */
export type Filters = Partial<Omit<ListApplications, 'limit' | 'after'>>;

/** The filters of commands that act on Applications. */
export interface Selection extends Partial<Pick<ListApplications, 'project' | 'cluster' | 'set' | 'label'>> {
  all?: true;
}

/** Everything that matches, over all pages. @throws MusterError not-found for a cluster that is not there. */
export async function listApplications({ client }: Context, filters: Filters) {
  const { project, cluster, set, sync, health, label, search } = filters;
  const { applications, clusters } = client();
  const items = await allItems((after) =>
    applications.list({ project, cluster, set, sync, health, label, search, limit: 500, after }),
  );
  // Nothing in a cluster is another thing than no such cluster.
  if (items.length === 0 && cluster !== undefined) await clusters.get(cluster);
  return items;
}

/** The filters of `app list`, for every command that means many. */
export function withFilters(command: Command): Command {
  return command
    .option('-p, --project <name>', 'of this project')
    .option('-c, --cluster <name>', 'on this cluster')
    .option('--set <name>', 'of this ApplicationSet')
    .option('--sync <status>', 'Synced, OutOfSync or Unknown', oneOf('Synced', 'OutOfSync', 'Unknown'))
    .option(
      '--health <status>',
      'Healthy, Progressing, Degraded, Suspended, Missing or Unknown',
      oneOf('Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'),
    )
    .option('-l, --label <selector>', 'with these labels: key=value,key')
    .option('--search <text>', 'with this in their name');
}

/** The Applications that names or filters mean. @throws UsageError for neither or both. */
export async function selectNames(
  context: Context,
  names: string[],
  filters: Filters & { all?: true },
): Promise<{ namespace: string; name: string }[]> {
  const filtered = Object.values(filters).some((value) => value !== undefined);
  if (names.length > 0) return names.map(parseName);
  if (!filtered) throw new UsageError('which Applications?', 'names, --label, --set, --cluster, … or --all');
  return (await listApplications(context, filters)).map(({ namespace, name }) => ({ namespace, name }));
}

export function withSelection(command: Command): Command {
  return command
    .option('-p, --project <name>', 'all of this project')
    .option('-c, --cluster <name>', 'all on this cluster')
    .option('--set <name>', 'all of this ApplicationSet')
    .option('-l, --label <selector>', 'all with these labels')
    .option('--all', 'all that you may see');
}
