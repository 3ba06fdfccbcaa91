import { randomBytes } from 'node:crypto';
import type {
  ApiToken,
  CreatedApiToken,
  Group,
  NewApiToken,
  NewGroup,
  NewRoleBinding,
  NewUser,
  Page,
  PageQuery,
  RoleBinding,
  User,
  UserChange,
} from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { pageOfRows } from '../api/paging.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import { AccessRepository } from './access.repository.ts';
import type { Actor } from './actor.ts';
import { TOKEN_PREFIX, hashToken } from './authentication.ts';
import { hashPassword, verifyPassword } from './password.ts';

/** Users, groups, role bindings and API tokens. Callers have checked the actor's role. */
@Injectable()
export class DirectoryService {
  constructor(
    @Inject(AccessRepository) private readonly repository: AccessRepository,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  users({ limit, after }: PageQuery): Promise<Page<User>> {
    return pageOfRows(
      limit,
      after,
      (count, key) => this.repository.users(count, key),
      ({ name }) => name,
    );
  }

  async user(name: string): Promise<User> {
    return found((await this.repository.users(1, undefined, name))[0], `user/${name}`);
  }

  async createUser(actor: Actor, { name, password }: NewUser): Promise<User> {
    const hash = password === undefined ? null : await hashPassword(password);
    await this.repository.transaction(async (trx) => {
      if (!(await this.repository.createUser(trx, name, hash))) throw exists(`user/${name}`);
      await this.audit.record(trx, { actor, action: 'user.create', object: `user/${name}` });
    });
    return this.user(name);
  }

  async changeUser(actor: Actor, name: string, change: UserChange): Promise<User> {
    const { id } = await this.user(name);
    const hash = change.password === undefined ? undefined : await hashPassword(change.password);
    await this.#guarded(async (trx) => {
      await this.repository.updateUser(trx, id, {
        ...(hash !== undefined && { password_hash: hash }),
        ...(change.disabled !== undefined && { disabled_at: change.disabled ? new Date() : null }),
      });
      if (hash !== undefined || change.disabled) await this.repository.deleteSessionsOf(trx, id);
      const details = { disabled: change.disabled, password: hash === undefined ? undefined : 'changed' };
      await this.audit.record(trx, { actor, action: 'user.change', object: `user/${name}`, details });
    });
    return this.user(name);
  }

  /** A user's own password; ends their other logins. */
  async changePassword(actor: Actor, current: string, password: string): Promise<void> {
    if (actor.kind !== 'user')
      throw new MusterError('forbidden', 'a password is changed by its user, logged in');
    const user = await this.repository.credentials(actor.userName!);
    if (!(await verifyPassword(current, user?.password_hash ?? null))) {
      throw new MusterError('forbidden', 'the current password is wrong', { where: 'current' });
    }
    const hash = await hashPassword(password);
    await this.repository.transaction(async (trx) => {
      await this.repository.updateUser(trx, user!.id, { password_hash: hash });
      await this.repository.deleteSessionsOf(trx, user!.id, actor.sessionId);
      await this.audit.record(trx, { actor, action: 'user.change-password', object: `user/${user!.name}` });
    });
  }

  async deleteUser(actor: Actor, name: string): Promise<void> {
    const { id } = await this.user(name);
    await this.#guarded(async (trx) => {
      await this.repository.deleteUser(trx, id);
      await this.audit.record(trx, { actor, action: 'user.delete', object: `user/${name}` });
    });
  }

  /** Names of the groups that an actor's user is in; of the hub itself, none. */
  async groupsOf({ userName }: Actor): Promise<string[]> {
    return userName === undefined ? [] : (await this.user(userName)).groups;
  }

  groups({ limit, after }: PageQuery): Promise<Page<Group>> {
    return pageOfRows(
      limit,
      after,
      (count, key) => this.repository.groups(count, key),
      ({ name }) => name,
    );
  }

  async group(name: string): Promise<Group> {
    return found((await this.repository.groups(1, undefined, name))[0], `group/${name}`);
  }

  async createGroup(actor: Actor, { name, members }: NewGroup): Promise<Group> {
    await this.repository.transaction(async (trx) => {
      const id = await this.repository.createGroup(trx, name);
      if (!id) throw exists(`group/${name}`);
      await this.#setMembers(trx, id, members);
      await this.audit.record(trx, {
        actor,
        action: 'group.create',
        object: `group/${name}`,
        details: { members },
      });
    });
    return this.group(name);
  }

  async changeGroup(actor: Actor, name: string, members: string[]): Promise<Group> {
    const { id } = await this.group(name);
    await this.#guarded(async (trx) => {
      await this.#setMembers(trx, id, members);
      await this.audit.record(trx, {
        actor,
        action: 'group.change',
        object: `group/${name}`,
        details: { members },
      });
    });
    return this.group(name);
  }

  async deleteGroup(actor: Actor, name: string): Promise<void> {
    const { id } = await this.group(name);
    await this.#guarded(async (trx) => {
      await this.repository.deleteGroup(trx, id);
      await this.audit.record(trx, { actor, action: 'group.delete', object: `group/${name}` });
    });
  }

  bindings({ limit, after }: PageQuery): Promise<Page<RoleBinding>> {
    return pageOfRows(
      limit,
      after,
      (count, key) => this.repository.bindings(count, key),
      ({ id }) => id,
    );
  }

  async createBinding(actor: Actor, binding: NewRoleBinding): Promise<RoleBinding> {
    const { role, project, user, group } = binding;
    const user_id = user === undefined ? null : (await this.user(user)).id;
    const group_id = group === undefined ? null : (await this.group(group)).id;
    return this.repository.transaction(async (trx) => {
      const id = await this.repository.createBinding(trx, { user_id, group_id, role, project });
      if (!id) throw exists('this role binding');
      const object = user === undefined ? `group/${group}` : `user/${user}`;
      await this.audit.record(trx, {
        actor,
        action: 'role-binding.create',
        object,
        details: { role, project },
      });
      return { id, ...binding };
    });
  }

  async deleteBinding(actor: Actor, id: string): Promise<void> {
    await this.#guarded(async (trx) => {
      const binding = found(await this.repository.deleteBinding(trx, id), `role-binding/${id}`);
      await this.audit.record(trx, {
        actor,
        action: 'role-binding.delete',
        object: `role-binding/${id}`,
        details: binding,
      });
    });
  }

  tokens({ limit, after }: PageQuery, userId: string | undefined): Promise<Page<ApiToken>> {
    return pageOfRows(
      limit,
      after,
      (count, key) => this.repository.tokens(count, key, userId),
      ({ id }) => id,
    );
  }

  /** Makes a token of the actor's own. A token cannot make another: it would outlive being revoked. */
  async createToken(actor: Actor, request: NewApiToken): Promise<CreatedApiToken> {
    if (actor.kind !== 'user')
      throw new MusterError('forbidden', 'an API token is made by its user, logged in with the password');
    const { name, role, project, expiresInSeconds } = request;
    const secret = TOKEN_PREFIX + randomBytes(32).toString('base64url');
    const expires_at = expiresInSeconds === undefined ? null : new Date(Date.now() + expiresInSeconds * 1000);
    return this.repository.transaction(async (trx) => {
      const token = await this.repository.createToken(trx, {
        user_id: actor.userId!,
        name,
        token_hash: hashToken(secret),
        role: role ?? null,
        project: project ?? null,
        expires_at,
      });
      if (!token) throw exists(`token/${name}`);
      const details = { role, project, expiresAt: expires_at?.toISOString() };
      await this.audit.record(trx, { actor, action: 'token.create', object: `token/${name}`, details });
      return {
        id: token.id,
        name,
        user: actor.userName!,
        ...(role && { role }),
        ...(project && { project }),
        ...(expires_at && { expiresAt: expires_at.toISOString() }),
        createdAt: token.created_at.toISOString(),
        secret,
      };
    });
  }

  /** With `userId` only a token of that user. */
  async deleteToken(actor: Actor, id: string, userId: string | undefined): Promise<void> {
    await this.repository.transaction(async (trx) => {
      const { name } = found(await this.repository.deleteToken(trx, id, userId), `token/${id}`);
      await this.audit.record(trx, { actor, action: 'token.delete', object: `token/${name}` });
    });
  }

  async #setMembers(trx: Trx, groupId: string, members: string[]): Promise<void> {
    const ids = await this.repository.userIds(trx, members);
    const unknown = members.filter((name) => !ids.has(name));
    if (unknown.length > 0)
      throw new MusterError('invalid', `no such user: ${unknown.join(', ')}`, { where: 'members' });
    await this.repository.setMembers(trx, groupId, [...new Set(ids.values())]);
  }

  /** Refuses a change after which nobody could administer the hub. */
  async #guarded(change: (trx: Trx) => Promise<void>): Promise<void> {
    await this.repository.transaction(async (trx) => {
      await this.repository.lock(trx);
      await change(trx);
      if ((await this.repository.adminCount(trx)) === 0) {
        throw new MusterError('precondition', 'this would leave the hub without an admin', {
          hint: 'Give the role admin for all projects to another user first.',
        });
      }
    });
  }
}

function found<T>(value: T | undefined, object: string): T {
  if (value === undefined) throw new MusterError('not-found', `there is no ${object}`);
  return value;
}

function exists(object: string): MusterError {
  return new MusterError('conflict', `${object} exists already`);
}
