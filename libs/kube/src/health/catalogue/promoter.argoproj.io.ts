import { type GroupRules, health, isOfAnotherGeneration, listOf, rule, type Step, when } from '../rules.ts';
import { promotionHealth, policyHealth } from './promoter-progress.ts';

interface Base {
  initial: string;
  /** What it is called while it waits for its spec to be seen. */
  name: string;
  /** Said when the reconciliation failed; other reasons are added in brackets. */
  failed: string;
  notReady: string;
  /** The sentence without a Ready condition. */
  missing: string;
  /** Said before an Unknown condition's reason; absent: such a condition is ignored. */
  unknown?: string;
  types?: string[];
}

/** GitOps Promoter: a Ready condition of the present generation, else what it is waiting for. */
const base = (text: Base, ...then: Step[]): Step =>
  rule(
    when((o) => !o.status, `Progressing: ${text.initial}`),
    (o) => {
      const list = listOf(o, 'status.conditions').filter((c) => (text.types ?? ['Ready']).includes(c.type));
      if (list.length === 0) return health('Progressing', text.missing);
      for (const c of list) {
        if (isOfAnotherGeneration(o, c)) {
          return health('Progressing', `Waiting for ${text.name} spec update to be observed`);
        }
        const { reason = 'Unknown' } = c;
        if (c.status === 'False') {
          const message = c.message ?? 'Unknown error';
          const prefix = reason === 'ReconciliationError' ? text.failed : `${text.notReady} (${reason})`;
          return health('Degraded', `${prefix}: ${message}`);
        }
        if (c.status === 'Unknown' && text.unknown) {
          return health('Progressing', `${text.unknown} (${reason}): ${c.message ?? 'Unknown'}`);
        }
      }
      return undefined;
    },
    ...then,
  );

const plain = (initial: string, name: string, label: string, ...then: Step[]): Step =>
  base(
    {
      initial: `Initializing ${initial}`,
      name,
      failed: `${label} reconciliation failed`,
      notReady: `${label} reconciliation failed`,
      missing: `${label} is not ready yet`,
    },
    ...then,
  );

const provider = (kind: string, initial: string, label: string): Step =>
  base(
    {
      initial: `Initializing ${initial}`,
      name: kind,
      failed: `${label} validation failed`,
      notReady: `${label} not ready`,
      unknown: `${label} readiness unknown`,
      missing: `${kind} Ready condition is missing`,
    },
    `Healthy: ${label} is ready`,
  );

/** A gate that is counted over the environments' branches. */
const gate = (
  kind: string,
  initial: string,
  text: { failed: string; notReady: string; unknown: string },
  words: string[],
): Step =>
  base(
    {
      ...text,
      initial: `Initializing ${initial}`,
      name: kind,
      missing: `${kind} Ready condition is missing`,
    },
    (o) => {
      const [reconciled, bad, waiting, good] = words;
      const environments = listOf(o, 'status.environments');
      if (environments.length === 0) return health('Healthy', reconciled);
      const branches = (isPhase: (phase: string) => boolean) =>
        environments.filter((e) => isPhase(e.phase ?? 'pending')).map((e) => e.branch ?? '?');
      const failures = branches((phase) => phase === 'failure');
      if (failures.length > 0) return health('Degraded', `${bad} for branch(es): ${failures.join(', ')}`);
      const pending = branches((phase) => phase !== 'success');
      if (pending.length > 0)
        return health('Progressing', `${waiting} for branch(es): ${pending.join(', ')}`);
      return health('Healthy', `${good} for ${environments.length} environment(s)`);
    },
  );

export const rules: GroupRules = {
  ArgoCDCommitStatus: plain(
    'Argo CD commit status',
    'Argo CD commit status',
    'Argo CD commit status',
    (o) => {
      const selected = listOf(o, 'status.applicationsSelected').length;
      return selected === 0
        ? health('Degraded', 'Argo CD commit status has no applications configured')
        : health('Healthy', `Argo CD commit status is healthy and is tracking ${selected} applications`);
    },
  ),
  ChangeTransferPolicy: plain(
    'change transfer policy',
    'change transfer policy',
    'Change transfer policy',
    policyHealth,
  ),
  ClusterScmProvider: provider('ClusterScmProvider', 'cluster SCM provider', 'Cluster SCM provider'),
  CommitStatus: plain(
    'commit status',
    'commit status',
    'Commit status',
    when((o) => !o.status.sha || !o.status.phase, 'Healthy: Commit status is healthy'),
    'Healthy: Commit status for commit {status.sha} reports {status.phase}',
  ),
  GitCommitStatus: gate(
    'GitCommitStatus',
    'git commit validation',
    {
      failed: 'Git commit validation failed',
      notReady: 'Git commit validation not ready',
      unknown: 'Git commit validation status unknown',
    },
    [
      'Git commit validation reconciled',
      'Git commit validation failed',
      'Git commit validation pending',
      'Git commit validation passed',
    ],
  ),
  GitRepository: provider('GitRepository', 'Git repository', 'Git repository'),
  PromotionStrategy: plain('promotion strategy', 'promotion strategy', 'Promotion strategy', promotionHealth),
  PullRequest: base(
    {
      initial: 'Initializing pull request',
      name: 'pull request',
      failed: 'Pull request reconciliation failed',
      notReady: 'Pull request reconciliation failed',
      missing: 'Pull request is not ready yet',
      types: ['Ready', 'Reconciled'],
    },
    when((o) => !o.status.id || !o.status.state, 'Healthy: Pull request is healthy'),
    'Healthy: Pull request is {status.state} as PR {status.id}',
  ),
  ScmProvider: provider('ScmProvider', 'SCM provider', 'SCM provider'),
  TimedCommitStatus: gate(
    'TimedCommitStatus',
    'timed commit gate',
    {
      failed: 'Timed commit gate failed',
      notReady: 'Timed commit gate not ready',
      unknown: 'Timed commit gate status unknown',
    },
    [
      'Timed commit gate reconciled',
      'Timed commit gate failed',
      'Timed commit gate pending',
      'Timed commit gate satisfied',
    ],
  ),
  WebRequestCommitStatus: gate(
    'WebRequestCommitStatus',
    'web request commit validation',
    {
      failed: 'Web request commit validation failed',
      notReady: 'Web request commit validation not ready',
      unknown: 'Web request commit validation unknown',
    },
    [
      'Web request commit validation reconciled',
      'Web request validation failed',
      'Web request validation pending',
      'Web request validation passed',
    ],
  ),
};
