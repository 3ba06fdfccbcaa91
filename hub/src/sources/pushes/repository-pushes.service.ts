import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { RemoteAccess } from '../credentials.ts';
import type { Mirror } from '../mirror.ts';
import { RepositoryAccess } from '../repository-access.service.ts';
import { SourcesService } from '../sources.service.ts';
import type { GitWriter } from './git-writer.ts';

export type { FileEdits, GitWriter, TreeFile } from './git-writer.ts';
export { TRAILER } from './git-writer.ts';

const MAX_BLOB = 1024 * 1024;

/** A repository as its remote is now, to which commits may be pushed. */
export class WritableRepository {
  readonly url: string;
  readonly git: GitWriter;
  readonly #mirror: Mirror;
  readonly #access: RemoteAccess;
  readonly #heads: (branch: string) => string | undefined;

  constructor(
    url: string,
    mirror: Mirror,
    access: RemoteAccess,
    heads: (branch: string) => string | undefined,
    signal: AbortSignal,
  ) {
    this.url = url;
    this.git = mirror.writer(signal);
    this.#mirror = mirror;
    this.#access = access;
    this.#heads = heads;
  }

  /** What a branch points at; undefined: there is none. */
  head(branch: string): string | undefined {
    return this.#heads(branch);
  }

  has(commit: string): Promise<boolean> {
    return this.#mirror.has(commit);
  }

  /** A file's text, of at most 1 MiB; `path` names it in errors. */
  async text(oid: string, path: string): Promise<string> {
    return (await this.#mirror.objects.blob(oid, MAX_BLOB, path)).toString('utf8');
  }

  push(commit: string, branch: string): Promise<'pushed' | 'moved'> {
    return this.git.push(this.#access, this.url, commit, branch);
  }
}

/** Repositories that are written to. */
@Injectable()
export class RepositoryPushes {
  constructor(
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(RepositoryAccess) private readonly access: RepositoryAccess,
  ) {}

  /** Fetches it. Throws in words: `precondition` where it is not registered for writing. */
  async open(url: string, project: string, signal: AbortSignal): Promise<WritableRepository> {
    const row = await this.sources.rowOf(url);
    if (!row)
      throw new MusterError('precondition', `the hub does not know the repository ${url}`, {
        hint: `muster repo add ${url} --write`,
      });
    const access = await this.access.push(row, project);
    const { mirror, refs } = await this.sources.fetched(row.id, signal);
    return new WritableRepository(
      row.display_url,
      mirror,
      access,
      (branch) => refs.commits.get(`refs/heads/${branch}`),
      signal,
    );
  }
}
