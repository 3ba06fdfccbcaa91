import { z } from 'zod';

/** viewer < operator; approver = viewer and approvals; admin = everything. */
export const Role = z.enum(['viewer', 'operator', 'approver', 'admin']);
export type Role = z.output<typeof Role>;

const name = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]*$/, 'letters, digits and . _ @ - only');
/** A project's name, or `*` for all of them and everything hub-wide. */
export const ProjectScope = z.string().min(1).max(253);
export const Grant = z.object({ role: Role, project: ProjectScope }).meta({ id: 'Grant' });
export type Grant = z.output<typeof Grant>;

export const Login = z
  .object({ name: z.string().max(128), password: z.string().max(1024) })
  .meta({ id: 'Login' });
export type Login = z.output<typeof Login>;
export const Session = z
  .object({
    name: z.string(),
    kind: z.enum(['user', 'token']),
    grants: z.array(Grant),
    expiresAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Session' });
export type Session = z.output<typeof Session>;

const password = z.string().min(8).max(1024);
export const User = z
  .object({
    id: z.uuid(),
    name: z.string(),
    disabled: z.boolean(),
    groups: z.array(z.string()),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });
export type User = z.output<typeof User>;
export const NewUser = z.object({ name, password: password.optional() }).meta({ id: 'NewUser' });
export type NewUser = z.output<typeof NewUser>;
export const UserChange = z
  .object({ disabled: z.boolean().optional(), password: password.optional() })
  .meta({ id: 'UserChange' });
export type UserChange = z.output<typeof UserChange>;
export const PasswordChange = z
  .object({ current: z.string().max(1024), password })
  .meta({ id: 'PasswordChange' });
export type PasswordChange = z.output<typeof PasswordChange>;

export const Group = z
  .object({ id: z.uuid(), name: z.string(), members: z.array(z.string()), createdAt: z.iso.datetime() })
  .meta({ id: 'Group' });
export type Group = z.output<typeof Group>;
export const NewGroup = z
  .object({ name, members: z.array(name).max(10_000).default([]) })
  .meta({ id: 'NewGroup' });
export type NewGroup = z.output<typeof NewGroup>;
export const GroupChange = z.object({ members: z.array(name).max(10_000) }).meta({ id: 'GroupChange' });
export type GroupChange = z.output<typeof GroupChange>;

/** Gives a role to one user or one group. */
export const RoleBinding = z
  .object({
    id: z.uuid(),
    user: z.string().optional(),
    group: z.string().optional(),
    role: Role,
    project: ProjectScope,
  })
  .meta({ id: 'RoleBinding' });
export type RoleBinding = z.output<typeof RoleBinding>;
export const NewRoleBinding = z
  .object({ user: name.optional(), group: name.optional(), role: Role, project: ProjectScope.default('*') })
  .refine(
    (binding) => (binding.user === undefined) !== (binding.group === undefined),
    'needs either user or group',
  )
  .meta({ id: 'NewRoleBinding' });
export type NewRoleBinding = z.output<typeof NewRoleBinding>;

export const ApiToken = z
  .object({
    id: z.uuid(),
    name: z.string(),
    user: z.string(),
    role: Role.optional().describe('caps the role of the user'),
    project: z.string().optional().describe('limits the token to one project'),
    expiresAt: z.iso.datetime().optional(),
    lastUsedAt: z.iso.datetime().optional(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'ApiToken' });
export type ApiToken = z.output<typeof ApiToken>;
export const NewApiToken = z
  .object({
    name,
    role: Role.optional(),
    project: ProjectScope.optional(),
    expiresInSeconds: z
      .number()
      .int()
      .min(1)
      .max(366 * 86_400)
      .optional(),
  })
  .meta({ id: 'NewApiToken' });
export type NewApiToken = z.output<typeof NewApiToken>;
/** The only answer that ever holds the secret. */
export const CreatedApiToken = ApiToken.extend({ secret: z.string() }).meta({ id: 'CreatedApiToken' });
export type CreatedApiToken = z.output<typeof CreatedApiToken>;
