import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Sealer } from '../store/sealer.ts';
import { type RegistryAccess } from './charts/registry-http.ts';
import type { Credentials, RemoteAccess } from './credentials.ts';
import { addressOf, prefixesOf } from './followed-source.ts';
import { parseRepositoryUrl } from './repository-url.ts';
import { type RepositoryRow, SourcesRepository } from './sources.repository.ts';

/** How repositories are reached: by their own registration, else by the nearest that is a prefix of their address. */
@Injectable()
export class RepositoryAccess {
  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
  ) {}

  async git(row: RepositoryRow): Promise<RemoteAccess> {
    const from = await this.#registration(row);
    return {
      remote: parseRepositoryUrl(row.display_url),
      credentials: this.credentials(from),
      knownHosts: from.known_hosts ?? undefined,
      insecure: from.insecure,
    };
  }

  /**
   * As `git`, for a push: only by a registration that was made for writing and that the project may use. Throws
   * `precondition` where there is none.
   */
  async push(row: RepositoryRow, project: string): Promise<RemoteAccess> {
    const from = await this.#registration(row);
    if (!from.may_push || (from.project !== null && from.project !== project))
      throw new MusterError('precondition', `${row.display_url} is not registered for writing`, {
        hint: `muster repo add ${row.display_url} --write, with credentials that may push`,
      });
    return this.git(row);
  }

  async charts(row: RepositoryRow): Promise<RegistryAccess> {
    return this.#registry(await this.#registration(row));
  }

  /** For an address that an index or a chart names; credentials of one project count only for that project. */
  async chartsAt(url: string, project: string | null): Promise<RegistryAccess> {
    const address = addressOf(url);
    const [nearest] = await this.#nearest(prefixesOf(address), project);
    return this.#registry(nearest);
  }

  credentials(row: RepositoryRow | undefined): Credentials | undefined {
    if (!row?.credentials_sealed) return undefined;
    const opened = this.sealer.open(row.credentials_sealed, credentialsContext(row.id));
    return JSON.parse(opened.toString('utf8')) as Credentials;
  }

  #registry(row: RepositoryRow | undefined): RegistryAccess {
    return {
      credentials: this.credentials(row),
      ca: row?.ca ?? undefined,
      insecure: row?.insecure ?? false,
      plainHttp: row?.plain_http ?? false,
      passCredentials: row?.pass_credentials ?? false,
    };
  }

  /** The row itself where it was registered with anything, else the nearest prefix that was. */
  async #registration(row: RepositoryRow): Promise<RepositoryRow> {
    if (row.may_push || row.credentials_sealed || row.known_hosts || row.ca || row.insecure || row.plain_http)
      return row;
    const prefixes = prefixesOf({ kind: row.kind, url: row.display_url, normalised: row.url });
    const [nearest] = await this.#nearest(
      prefixes.filter((prefix) => prefix !== row.url),
      row.project,
    );
    return nearest ?? row;
  }

  async #nearest(prefixes: readonly string[], project: string | null): Promise<RepositoryRow[]> {
    const rows = await this.repository.byUrls(this.repository.db, prefixes);
    return rows
      .filter((row) => row.registered && (row.project === null || row.project === project))
      .sort((a, b) => prefixes.indexOf(a.url) - prefixes.indexOf(b.url));
  }
}

/** The sealing context of a repository's credentials. */
export function credentialsContext(id: string): string {
  return `repositories/credentials/${id}`;
}
