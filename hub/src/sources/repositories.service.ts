import type { AddRepository, RepositoryCredentials, RepositoryList, RepositoryView } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { pageOfRows } from '../api/paging.ts';
import { Audit } from '../audit/audit.ts';
import { Sealer } from '../store/sealer.ts';
import type { Credentials } from './credentials.ts';
import { parseRepositoryUrl } from './repository-url.ts';
import { type RepositoryRow, type RevisionRow, SourcesRepository } from './sources.repository.ts';
import { SourcesService, credentialsContext } from './sources.service.ts';

/** Repositories as users register them, with their credentials. */
@Injectable()
export class RepositoriesService implements OnModuleInit {
  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  onModuleInit(): void {
    this.events.visibility('repository', (ids, projects) => this.repository.visible(ids, projects));
  }

  /** Registers a repository, or changes how it is read; connects to it first unless asked not to. */
  async add(request: AddRepository, actor: Actor): Promise<RepositoryView> {
    this.access.require(actor, 'admin', request.project ?? '*');
    const remote = parseRepositoryUrl(request.url);
    const [before] = await this.repository.byUrls(this.repository.db, [remote.normalised]);
    if (before) this.access.require(actor, 'admin', before.project ?? '*');
    const credentials = credentialsOf(request.credentials);
    const display = remote.url;
    if (!request.skipCheck) {
      await this.sources.check(
        { remote, credentials, knownHosts: request.knownHosts, insecure: request.insecure },
        display,
      );
    }
    const row = await this.repository.db.transaction().execute(async (trx) => {
      const written = await this.repository.upsert(trx, {
        url: remote.normalised,
        displayUrl: display,
        sealed: (id) =>
          credentials
            ? this.sealer.seal(Buffer.from(JSON.stringify(credentials)), credentialsContext(id))
            : null,
        knownHosts: request.knownHosts ?? null,
        insecure: request.insecure,
        project: request.project ?? null,
      });
      await this.sources.ask(trx, [written.id]);
      const details = { credentials: credentials?.kind ?? 'none', insecure: request.insecure };
      await this.audit.record(trx, {
        actor,
        action: before ? 'repository.change' : 'repository.add',
        object: `repository/${display}`,
        ...(request.project ? { project: request.project } : {}),
        details,
      });
      await this.events.publish('repository', [written.id], { trx });
      return written;
    });
    return this.#view(row, await this.repository.revisions(this.repository.db, [row.id]));
  }

  async list(actor: Actor, limit: number, after?: string): Promise<RepositoryList> {
    const visible = this.access.visibleProjects(actor, 'viewer');
    const page = await pageOfRows(
      limit,
      after,
      (count, key) => this.repository.page(visible, count, key),
      (row) => row.url,
    );
    const revisions = await this.repository.revisions(
      this.repository.db,
      page.items.map((row) => row.id),
    );
    return {
      ...page,
      items: page.items.map((row) =>
        this.#view(
          row,
          revisions.filter((one) => one.repository_id === row.id),
        ),
      ),
    };
  }

  async remove(id: string, actor: Actor): Promise<void> {
    const row = await this.#found(id);
    this.access.require(actor, 'admin', row.project ?? '*');
    await this.repository.db.transaction().execute(async (trx) => {
      await this.repository.remove(trx, id);
      await this.audit.record(trx, {
        actor,
        action: 'repository.remove',
        object: `repository/${row.display_url}`,
        ...(row.project ? { project: row.project } : {}),
      });
      await this.events.publish('repository', [id], { trx });
    });
    if (!(await this.repository.byId(id))) await this.sources.forget(row.url);
  }

  async refresh(id: string, actor: Actor): Promise<void> {
    const row = await this.#found(id);
    this.access.require(actor, 'operator', row.project ?? '*');
    await this.repository.db.transaction().execute((trx) => this.sources.ask(trx, [row.id]));
  }

  async #found(id: string): Promise<RepositoryRow> {
    const row = await this.repository.byId(id);
    if (!row) throw new MusterError('not-found', 'there is no such repository');
    return row;
  }

  #view(row: RepositoryRow, revisions: readonly RevisionRow[]): RepositoryView {
    const opened =
      row.credentials_sealed && this.sealer.open(row.credentials_sealed, credentialsContext(row.id));
    return {
      id: row.id,
      url: row.display_url,
      ...(row.project ? { project: row.project } : {}),
      registered: row.registered,
      credentials: opened ? (JSON.parse(opened.toString('utf8')) as Credentials).kind : 'none',
      insecure: row.insecure,
      ...(row.last_fetch_at ? { lastFetchAt: row.last_fetch_at.toISOString() } : {}),
      ...(row.last_fetch_error ? { error: row.last_fetch_error } : {}),
      revisions: revisions.map((one) => ({
        revision: one.revision,
        ...(one.commit ? { commit: one.commit } : {}),
        ...(one.committed_at ? { committedAt: one.committed_at.toISOString() } : {}),
        ...(one.message === null ? {} : { message: one.message }),
        ...(one.author === null ? {} : { author: one.author }),
        ...(one.error ? { error: one.error } : {}),
      })),
    };
  }
}

function credentialsOf(given: RepositoryCredentials | undefined): Credentials | undefined {
  if (!given) return undefined;
  const { username, password, token, sshPrivateKey } = given;
  const kinds = [password !== undefined, token !== undefined, sshPrivateKey !== undefined].filter(
    Boolean,
  ).length;
  if (kinds === 0 && username === undefined) return undefined;
  if (kinds !== 1)
    throw new MusterError('invalid', 'give one of password, token and sshPrivateKey', {
      where: 'credentials',
    });
  if (token !== undefined) return { kind: 'token', token };
  if (sshPrivateKey !== undefined) return { kind: 'ssh', privateKey: sshPrivateKey };
  if (!username)
    throw new MusterError('invalid', 'a password needs a username', { where: 'credentials.username' });
  return { kind: 'password', username, password: password! };
}
