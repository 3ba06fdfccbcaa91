import { ANNOTATION } from './annotations.ts';
import { globMatches } from './glob.ts';
import type { Project } from './projects.ts';

/** An entry of a project's `destinationServiceAccounts`: the account of the Applications that go there. */
export interface DestinationServiceAccount {
  /** Glob over the address of the cluster. */
  server?: string;
  /** Glob over the name of the cluster; Muster's own. */
  name?: string;
  /** Glob over the destination namespace. */
  namespace?: string;
  /** `name`, in the destination namespace, or `namespace:name`. */
  defaultServiceAccount?: string;
}

/**
 * Which Applications act as a ServiceAccount. `listed`: those of projects that list accounts; `required`: all of them,
 * as with the reference's `application.sync.impersonation.enabled`; `off`: none.
 */
export type ImpersonationMode = 'off' | 'listed' | 'required';

/** Where an Application goes and what it asks for. */
export interface AccountQuestion {
  server: string;
  cluster: string;
  /** Of the destination. */
  namespace: string;
  /** Of the Application itself: stands in for a destination without one. */
  applicationNamespace: string;
  /** Its own annotation, as written. */
  asked?: string | undefined;
}

/** `account`: `namespace/name`, '' for the agent's own; `allowed`: all that the project lists for this destination. */
export type AccountDecision =
  | { allowed: true; account: string; accounts: string[] }
  | { allowed: false; reason: string };

/** The ServiceAccount of an Application: what it asks for where the project lists that, else the first that matches. */
export function accountDecision(
  { name: project, spec }: Project,
  question: AccountQuestion,
  mode: ImpersonationMode,
): AccountDecision {
  const { asked, namespace, cluster, server } = question;
  const own: AccountDecision = { allowed: true, account: '', accounts: [] };
  const denied = (reason: string): AccountDecision => ({ allowed: false, reason });
  if (mode === 'off')
    return asked ? denied(`this hub lets no Application name a ServiceAccount (MUSTER_IMPERSONATION)`) : own;
  const entries = spec.destinationServiceAccounts ?? [];
  const home = namespace || question.applicationNamespace;
  const accounts = entries
    .filter((entry) => concerns(entry, question))
    .flatMap((entry) => accountOf(entry.defaultServiceAccount ?? '', home) ?? []);
  const where = `${cluster || server}, namespace "${namespace}"`;
  if (asked !== undefined && asked !== '') {
    const account = accountOf(asked, home);
    if (!account)
      return denied(
        `${ANNOTATION.serviceAccount}: "${asked}" is no ServiceAccount (name, or namespace:name)`,
      );
    if (accounts.includes(account)) return { allowed: true, account, accounts };
    const listed = accounts.length > 0 ? `, which are ${accounts.join(', ')}` : '';
    return denied(
      `ServiceAccount ${account} is not among those of project "${project}" for ${where}${listed} (destinationServiceAccounts)`,
    );
  }
  if (accounts[0] !== undefined) return { allowed: true, account: accounts[0], accounts };
  if (entries.length === 0 && mode === 'listed') return own;
  return denied(`project "${project}" has no ServiceAccount for ${where} (destinationServiceAccounts)`);
}

function concerns(
  entry: DestinationServiceAccount,
  { server, cluster, namespace }: AccountQuestion,
): boolean {
  const there =
    (entry.server !== undefined && entry.server !== '' && globMatches(entry.server, server)) ||
    (entry.name !== undefined && entry.name !== '' && globMatches(entry.name, cluster));
  return there && globMatches(entry.namespace ?? '', namespace);
}

const PART = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** `namespace/name` of a written account; undefined for what is none. */
function accountOf(written: string, home: string): string | undefined {
  const parts = written.trim().split(/[:/]/);
  const [namespace, name] = parts.length === 1 ? [home, parts[0]!] : (parts as [string, string]);
  return parts.length <= 2 && PART.test(namespace) && PART.test(name) ? `${namespace}/${name}` : undefined;
}

/** What is wrong with a project's `destinationServiceAccounts`, in words. */
export function accountProblems(entries: readonly DestinationServiceAccount[]): string[] {
  return entries.flatMap(({ server = '', name = '', namespace = '', defaultServiceAccount = '' }, i) => {
    const at = `spec.destinationServiceAccounts[${i}]`;
    if (!server && !name) return [`${at}: names no server`];
    if ([server, name, namespace].some((text) => text.includes('!')))
      return [`${at}: "!" excludes nothing here`];
    // A slash is the reference's own mistake to refuse: it writes the namespace before a colon.
    if (/[!*[\]{}\\/]/.test(defaultServiceAccount) || !accountOf(defaultServiceAccount, 'x'))
      return [
        `${at}.defaultServiceAccount: "${defaultServiceAccount}" is no ServiceAccount (name, or namespace:name)`,
      ];
    return [];
  });
}
