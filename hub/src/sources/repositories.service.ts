import type { AddRepository, RepositoryCredentials, RepositoryList, RepositoryView } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { pageOfRows } from '../api/paging.ts';
import { Audit } from '../audit/audit.ts';
import { Sealer } from '../store/sealer.ts';
import type { Trx } from '../store/schema.ts';
import { ChartsService } from './charts/charts.service.ts';
import type { Credentials } from './credentials.ts';
import { type RepositoryAddress, addressOf } from './followed-source.ts';
import {
  type RepositoryRow,
  type RepositorySettings,
  type RevisionRow,
  SourcesRepository,
} from './sources.repository.ts';
import { credentialsContext } from './repository-access.service.ts';
import { SourcesService } from './sources.service.ts';

/** Repositories as users register them, with their credentials. */
@Injectable()
export class RepositoriesService implements OnModuleInit {
  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(ChartsService) private readonly charts: ChartsService,
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
    const address = addressOf(writtenAddress(request));
    const [before] = await this.repository.byUrls(this.repository.db, [address.normalised]);
    if (before) this.access.require(actor, 'admin', before.project ?? '*');
    const credentials = credentialsOf(request.credentials);
    checkSettings(address, request, credentials);
    if (!request.skipCheck) await this.#check(address, request, credentials);
    const row = await this.repository.db.transaction().execute(async (trx) => {
      await this.#nameIsFree(trx, request.name, before?.id);
      const written = await this.repository.upsert(trx, {
        url: address.normalised,
        displayUrl: address.url,
        sealed: (id) =>
          credentials
            ? this.sealer.seal(Buffer.from(JSON.stringify(credentials)), credentialsContext(id))
            : null,
        settings: settingsOf(address, request),
      });
      if (address.kind !== 'credentials') await this.sources.ask(trx, [written.id]);
      // What failed for want of these is read again.
      else await this.sources.ask(trx, await this.repository.failingBelow(trx, address.url));
      await this.audit.record(trx, {
        actor,
        action: before ? 'repository.change' : 'repository.add',
        object: `repository/${address.url}`,
        ...(request.project ? { project: request.project } : {}),
        details: {
          kind: address.kind,
          credentials: credentials?.kind ?? 'none',
          insecure: request.insecure,
          ...(request.write ? { write: true } : {}),
          ...(request.plainHttp ? { plainHttp: true } : {}),
          ...(request.passCredentials ? { passCredentials: true } : {}),
        },
      });
      await this.events.publish('repository', [written.id], { trx });
      return written;
    });
    return this.#view(row, await this.repository.revisions(this.repository.db, [row.id]));
  }

  async #check(
    { kind, url, git }: RepositoryAddress,
    request: AddRepository,
    credentials: Credentials | undefined,
  ): Promise<void> {
    const { knownHosts, insecure, ca, plainHttp = false, passCredentials = false, project } = request;
    if (git) return this.sources.check({ remote: git, credentials, knownHosts, insecure }, url);
    // Nothing answers at the address of credentials: whoever uses them says whether they are good.
    if (kind !== 'helm' && kind !== 'oci') return;
    const access = { credentials, ca, insecure, plainHttp, passCredentials };
    await this.charts.check(kind, url, access, project ?? null);
  }

  async #nameIsFree(trx: Trx, name: string | undefined, id: string | undefined): Promise<void> {
    if (name === undefined) return;
    const other = await this.repository.byName(trx, name);
    if (other && other.id !== id)
      throw new MusterError('conflict', `the name ${name} belongs to ${other.display_url}`, {
        where: 'name',
      });
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
    if (row.kind === 'git' && !(await this.repository.byId(id))) await this.sources.forget(row.url);
  }

  /** Has it read now; `accept`: what is offered in place of what is held is taken. */
  async refresh(id: string, actor: Actor, accept = false): Promise<void> {
    const row = await this.#found(id);
    this.access.require(actor, accept ? 'admin' : 'operator', row.project ?? '*');
    if (row.kind === 'credentials')
      throw new MusterError('precondition', `${row.display_url} is registered for its credentials only`);
    await this.repository.db.transaction().execute(async (trx) => {
      const accepted = accept ? await this.repository.accept(trx, row.id) : [];
      if (accepted.length > 0) {
        await this.audit.record(trx, {
          actor,
          action: 'repository.accept',
          object: `repository/${row.display_url}`,
          ...(row.project ? { project: row.project } : {}),
          details: { accepted: accepted.map(({ revision, offered }) => `${revision}: ${offered}`) },
        });
      }
      await this.sources.ask(trx, [row.id]);
    });
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
      kind: row.kind,
      ...(row.name ? { name: row.name } : {}),
      ...(row.project ? { project: row.project } : {}),
      registered: row.registered,
      credentials: opened ? (JSON.parse(opened.toString('utf8')) as Credentials).kind : 'none',
      insecure: row.insecure,
      write: row.may_push,
      ...(row.last_fetch_at ? { lastFetchAt: row.last_fetch_at.toISOString() } : {}),
      ...(row.last_fetch_error ? { error: row.last_fetch_error } : {}),
      revisions: revisions.map((one) => ({
        revision: one.revision,
        ...(one.commit ? { commit: one.commit } : {}),
        ...(one.committed_at ? { committedAt: one.committed_at.toISOString() } : {}),
        ...(one.message === null ? {} : { message: one.message }),
        ...(one.author === null ? {} : { author: one.author }),
        ...(one.error ? { error: one.error } : {}),
        ...(one.offered ? { offered: one.offered } : {}),
      })),
    };
  }
}

/** The address with its kind in front, as it is kept. */
function writtenAddress({ url, kind }: AddRepository): string {
  const plain = kind === 'oci' && !url.includes('://') ? `oci://${url}` : url;
  return kind === 'helm' || kind === 'credentials' ? `${kind}+${plain}` : plain;
}

function settingsOf({ kind }: RepositoryAddress, request: AddRepository): RepositorySettings {
  return {
    kind,
    name: request.name ?? null,
    known_hosts: request.knownHosts ?? null,
    ca: request.ca ?? null,
    insecure: request.insecure,
    plain_http: request.plainHttp ?? false,
    pass_credentials: request.passCredentials ?? false,
    may_push: request.write ?? false,
    project: request.project ?? null,
  };
}

/** Throws `invalid` for settings that mean nothing to the kind. */
function checkSettings(
  { kind, url }: RepositoryAddress,
  request: AddRepository,
  credentials: Credentials | undefined,
): void {
  const wrong = (where: string, message: string) => new MusterError('invalid', message, { where });
  if (request.kind && request.kind !== kind)
    throw wrong('kind', `${url} is no address of kind ${request.kind}`);
  if (request.write && kind !== 'git' && kind !== 'credentials')
    throw wrong('write', 'only Git repositories are written to');
  if (kind === 'credentials' && !credentials)
    throw wrong('credentials', 'a registration of kind credentials needs credentials');
  if (request.name !== undefined && kind !== 'helm' && kind !== 'oci')
    throw wrong('name', 'only repositories of charts have a name');
  if (kind === 'git' && (request.ca || request.plainHttp))
    throw wrong('ca', 'ca and plainHttp are for repositories of charts');
  if (request.passCredentials && kind !== 'helm')
    throw wrong('passCredentials', 'only Helm repositories name other hosts');
  if ((kind === 'helm' || kind === 'oci') && credentials?.kind === 'ssh')
    throw wrong('credentials', 'charts are read with a password or a token, not with an SSH key');
  if (request.ca !== undefined && !request.ca.includes('-----BEGIN CERTIFICATE-----'))
    throw wrong('ca', 'not certificates in PEM');
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
