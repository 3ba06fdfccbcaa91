import { z } from 'zod';

/** What a repository is read with; answered never. At most one of password (with username), token, sshPrivateKey. */
export const RepositoryCredentials = z
  .strictObject({
    username: z.string().max(500).optional(),
    password: z.string().max(10_000).optional(),
    token: z.string().max(10_000).optional(),
    sshPrivateKey: z.string().max(50_000).optional(),
  })
  .meta({ id: 'RepositoryCredentials' });
export type RepositoryCredentials = z.infer<typeof RepositoryCredentials>;

/** Git; a Helm repository (index.yaml); a registry; or credentials alone, for all that is below the URL. */
export const RepositoryKind = z.enum(['git', 'helm', 'oci', 'credentials']);
export type RepositoryKind = z.infer<typeof RepositoryKind>;

export const AddRepository = z
  .strictObject({
    url: z.string().min(1).max(2000),
    /** Git unless the URL begins with oci://. */
    kind: RepositoryKind.optional(),
    /** How dependencies of charts may call it: `repository: "@name"`. */
    name: z
      .string()
      .max(100)
      .regex(/^[a-zA-Z0-9][\w.-]*$/, 'may hold letters, digits, . _ and - only')
      .optional(),
    credentials: RepositoryCredentials.optional(),
    /** PEM certificates to trust besides the system's; for charts. */
    ca: z.string().max(500_000).optional(),
    /** Registries: http instead of https. */
    plainHttp: z.boolean().optional(),
    /** Helm repositories: send the credentials to other hosts too, which the index names. */
    passCredentials: z.boolean().optional(),
    /** Lines as in a known_hosts file, for ssh. */
    knownHosts: z.string().max(100_000).optional(),
    /** Skip the check of TLS certificates and SSH host keys. */
    insecure: z.boolean().default(false),
    /** Promotions may push to it, and open pull requests, with these credentials. */
    write: z.boolean().optional(),
    /** Limits who sees it; none: the hub's administrators. */
    project: z.string().max(253).optional(),
    /** Do not connect before storing it. */
    skipCheck: z.boolean().default(false),
  })
  .meta({ id: 'AddRepository' });
export type AddRepository = z.infer<typeof AddRepository>;

export const RepositoryView = z
  .object({
    id: z.string(),
    url: z.string(),
    kind: RepositoryKind,
    name: z.string().optional(),
    project: z.string().optional(),
    registered: z.boolean(),
    credentials: z.enum(['none', 'password', 'token', 'ssh']),
    insecure: z.boolean(),
    write: z.boolean().describe('promotions may push to it'),
    lastFetchAt: z.string().optional(),
    error: z.string().optional(),
    revisions: z.array(
      z.object({
        revision: z.string(),
        commit: z.string().optional(),
        committedAt: z.string().optional(),
        message: z.string().optional(),
        author: z.string().optional(),
        error: z.string().optional(),
        /** A chart that upstream has instead of what is held. */
        offered: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Repository' });
export type RepositoryView = z.infer<typeof RepositoryView>;

export const RefreshRepository = z
  .strictObject({
    /** Take what upstream has in place of what is held: overwritten versions, newer ones for dependencies of charts. */
    accept: z.boolean().default(false),
  })
  .meta({ id: 'RefreshRepository' });
export type RefreshRepository = z.infer<typeof RefreshRepository>;

export const RepositoryList = z
  .object({ items: z.array(RepositoryView), next: z.string().optional() })
  .meta({ id: 'RepositoryList' });
export type RepositoryList = z.infer<typeof RepositoryList>;
