import type {} from '@fastify/cookie';
import { createHash, randomBytes } from 'node:crypto';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import { AccessRepository, type Identity } from './access.repository.ts';
import type { Actor } from './actor.ts';
import { LoginLimit } from './login-limit.ts';
import { verifyPassword } from './password.ts';
import { type Grant, type Role, includes } from './roles.ts';

/** API tokens start with it, so that scanners for leaked secrets can find them. */
export const TOKEN_PREFIX = 'mst_';
const SESSION_SECONDS = 24 * 3600;

export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Says who sent a request, and logs users in and out. */
@Injectable()
export class Authentication {
  readonly #limit = new LoginLimit();
  /** `__Host-` binds the cookie to this host and to https, where there is https. */
  readonly cookieName: string;
  readonly #secure: boolean;

  constructor(
    @Inject(AccessRepository) private readonly repository: AccessRepository,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#secure = config.publicUrl?.startsWith('https:') ?? false;
    this.cookieName = this.#secure ? '__Host-muster_session' : 'muster_session';
  }

  /**
   * The actor of a request: a bearer API token, else the login cookie, else undefined. Throws MusterError
   * `unauthenticated` for a token that is not valid, `forbidden` for a cookie sent from another site's page.
   */
  async actorOf(request: FastifyRequest): Promise<Actor | undefined> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
      const identity = token?.startsWith(TOKEN_PREFIX)
        ? await this.repository.byToken(hashToken(token))
        : undefined;
      if (!identity)
        throw new MusterError('unauthenticated', 'the API token is not valid', {
          hint: 'it has expired, was revoked, or is of another hub: `muster login URL` makes a new one',
        });
      return actor(identity, request.ip);
    }
    const cookie = request.cookies[this.cookieName];
    if (!cookie) return undefined;
    this.checkOrigin(request);
    const identity = await this.repository.bySession(hashToken(cookie));
    return identity && actor(identity, request.ip);
  }

  /**
   * Refuses what a page of another site makes a browser send. Browsers state where an unsafe request comes from;
   * a client that states nothing is no browser, and has the cookie because its user gave it.
   */
  checkOrigin(request: FastifyRequest): void {
    if (['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return;
    const { origin, host } = request.headers;
    const site = request.headers['sec-fetch-site'];
    const own =
      origin === undefined
        ? site === undefined || site === 'same-origin' || site === 'none'
        : originHost(origin) === host || origin === originOf(this.config.publicUrl);
    if (!own) throw new MusterError('forbidden', 'the request comes from a page of another site');
  }

  /** Checks a password and opens a session. Returns the cookie header. Throws `unauthenticated`, or `limit` (429). */
  async login(
    request: FastifyRequest,
    name: string,
    password: string,
  ): Promise<{ cookie: string; actor: Actor }> {
    this.checkOrigin(request);
    this.#limit.check(request.ip, name);
    const user = await this.repository.credentials(name);
    const correct = await verifyPassword(password, user?.password_hash ?? null);
    if (!user || !correct || user.disabled_at) {
      this.#limit.failed(request.ip, name);
      await this.#auditFailure(request.ip, user?.name);
      throw new MusterError('unauthenticated', 'name or password is wrong');
    }
    this.#limit.succeeded(request.ip, name);
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(Date.now() + SESSION_SECONDS * 1000);
    await this.repository.transaction(async (trx) => {
      await this.repository.createSession(trx, user.id, hashToken(token), expiresAt);
      const who: Actor = { kind: 'user', name: user.name, grants: [], remoteAddress: request.ip };
      await this.audit.record(trx, { actor: who, action: 'session.login', object: `user/${user.name}` });
    });
    const identity = await this.repository.bySession(hashToken(token));
    if (!identity) throw new MusterError('unauthenticated', 'name or password is wrong');
    return { cookie: this.#cookie(token, SESSION_SECONDS), actor: actor(identity, request.ip) };
  }

  /**
   * At most a row a minute for a name and an address. A name that no user has is not written down: people type
   * passwords there, and guessed names would be as many rows.
   */
  async #auditFailure(address: string, name: string | undefined): Promise<void> {
    const who: Actor = { kind: 'user', name: 'anonymous', grants: [], remoteAddress: address };
    const object = name === undefined ? 'user' : `user/${name}`;
    await this.repository.transaction((trx) =>
      this.audit.recordOnceAMinute(trx, { actor: who, action: 'session.login-failed', object }),
    );
  }

  /** Ends the session; returns the header that deletes the cookie. */
  async logout(who: Actor): Promise<string> {
    if (who.sessionId) await this.repository.deleteSession(who.sessionId);
    return this.#cookie('', 0);
  }

  #cookie(value: string, maxAgeSeconds: number): string {
    const secure = this.#secure ? '; Secure' : '';
    return `${this.cookieName}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`;
  }
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function originOf(url: string | undefined): string | undefined {
  return url && new URL(url).origin;
}

function actor(identity: Identity, remoteAddress: string): Actor {
  const { token } = identity;
  return {
    kind: token ? 'token' : 'user',
    name: token ? `token:${identity.userName}/${token.name}` : identity.userName,
    userId: identity.userId,
    userName: identity.userName,
    grants: token ? capped(identity.grants, token.role as Role | null, token.project) : identity.grants,
    remoteAddress,
    ...(token && { tokenId: token.id }),
    ...(identity.sessionId && { sessionId: identity.sessionId }),
    ...(identity.expiresAt && { expiresAt: identity.expiresAt }),
  };
}

/** A token's grants: never more than its user's, at most `role`, only `project`. */
export function capped(grants: readonly Grant[], role: Role | null, project: string | null): Grant[] {
  return grants.flatMap((grant) => {
    if (project !== null && grant.project !== '*' && grant.project !== project) return [];
    const limited =
      role === null || includes(role, grant.role) ? grant.role : includes(grant.role, role) ? role : 'viewer';
    return [{ role: limited, project: project ?? grant.project }];
  });
}
