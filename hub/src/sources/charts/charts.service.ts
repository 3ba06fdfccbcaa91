import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.ts';
import { RepositoryAccess } from '../repository-access.service.ts';
import type { SourceTree } from '../source-tree.ts';
import type { RepositoryRow, ResolvedRow } from '../sources.repository.ts';
import {
  type ChartRepository,
  ChartSources,
  type FollowedChart,
  type ResolvedChart,
} from './chart-sources.ts';
import { formatPin } from './pin.ts';
import type { RegistryAccess } from './registry-http.ts';

/** Charts and artifacts as repositories with revisions, in the same words as Git's. */
@Injectable()
export class ChartsService {
  readonly #sources: ChartSources;

  constructor(
    @Inject(RepositoryAccess) private readonly access: RepositoryAccess,
    @Inject(CONFIG) config: Config,
  ) {
    this.#sources = new ChartSources(join(config.dataDir, 'charts'), config.chartCacheMb * 1024 * 1024);
  }

  /** Throws in words when the address cannot be read like this. */
  check(kind: 'helm' | 'oci', url: string, access: RegistryAccess, project: string | null): Promise<void> {
    return this.#sources.check({
      kind,
      url,
      access,
      accessTo: (other) => this.access.chartsAt(other, project),
    });
  }

  /** Where the revisions point; never throws for what is wrong with one of them. */
  async read(
    row: RepositoryRow,
    followed: readonly FollowedChart[],
    signal: AbortSignal,
  ): Promise<ResolvedRow[]> {
    const found = await this.#sources.resolve(await this.#repository(row), followed, signal);
    return [...found].map(([revision, one]) => resolvedRow(revision, one));
  }

  async tree(row: RepositoryRow, commit: string, signal?: AbortSignal): Promise<SourceTree> {
    return this.#sources.tree(await this.#repository(row), commit, signal);
  }

  async modifiedAt(row: RepositoryRow, commit: string, signal?: AbortSignal): Promise<Date> {
    return this.#sources.modifiedAt(await this.#repository(row), commit, signal);
  }

  async #repository(row: RepositoryRow): Promise<ChartRepository> {
    if (row.kind !== 'helm' && row.kind !== 'oci')
      throw new MusterError('invalid', `${row.display_url} is not a repository of charts`);
    return {
      kind: row.kind,
      url: row.display_url,
      access: await this.access.charts(row),
      accessTo: (other) => this.access.chartsAt(other, row.project),
    };
  }
}

function resolvedRow(revision: string, found: ResolvedChart | MusterError): ResolvedRow {
  if (found instanceof MusterError) {
    const nothing = { commit: null, committedAt: null, message: null, author: null, offered: null };
    return { revision, ...nothing, error: found.describe() };
  }
  const { pin, offered, message, published } = found;
  const overwritten = offered?.version === pin.version;
  return {
    revision,
    commit: formatPin(pin),
    // What is offered has another message and time.
    committedAt: offered ? null : (published ?? null),
    message: offered ? null : message,
    author: null,
    offered: offered ? formatPin(offered) : null,
    error: overwritten
      ? `${pin.name} ${pin.version} was overwritten where it is published: it was ${pin.digest} and is ${offered.digest} now. ` +
        'What it was is kept (publish a new version, or take what is there with muster repo refresh URL --accept)'
      : null,
  };
}
