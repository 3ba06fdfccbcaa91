import type { WhyLink } from '@muster/api';
import { REASON, link, operatorOf } from './links.ts';
import type { AssignmentFacts, WhyFacts } from './why-facts.ts';

/** A deletion that is decided: it is what the target waits for, and no release. */
export function deletionLinks(facts: WhyFacts): WhyLink[] {
  const { leaving, namespace, name, set, project } = facts;
  if (!leaving) return [];
  const app = `${namespace}/${name}`;
  if (leaving.held) {
    const command = set
      ? `muster appset approve-deletions ${set} ${REASON}`
      : `muster app approve-deletions ${app} ${REASON}`;
    const ends = 'an approval, or `muster app restore`';
    const who = `an approver of project ${project}`;
    return [
      link('deletion', `its removal waits: ${leaving.held}`, { since: leaving.at, ends, command, who }),
    ];
  }
  const restore = { command: `muster app restore ${app}`, who: operatorOf(project) };
  if (!leaving.signedAt) {
    const text = `it is leaving (${leaving.action}); until then it can be taken back`;
    return [link('deletion', text, { until: leaving.at, ...restore })];
  }
  const waits = facts.status?.conditions.find(({ type }) => type === 'DeleteConfirmation');
  if (waits)
    return [
      link('deletion', waits.message, {
        since: waits.since,
        ends: 'a confirmation',
        command: `muster app confirm ${app} ${REASON}`,
        who: operatorOf(project),
      }),
    ];
  const failed = facts.status?.conditions.find(({ type }) => type === 'RemovalError');
  const says = failed?.message || facts.status?.operation?.message;
  const text = `it is being removed (${leaving.action})${says ? `: ${says}` : ''}`;
  return [link('deletion', text, { since: leaving.signedAt, ...restore })];
}

/** The hub and the cluster: whether anything may be signed, and whether anybody listens. */
export function placeLinks(facts: WhyFacts): WhyLink[] {
  return [...recoveryLinks(facts), ...clusterLinks(facts)];
}

function recoveryLinks({ recovery }: WhyFacts): WhyLink[] {
  if (!recovery) return [];
  return [
    link('recovery', `the hub is in recovery and signs nothing: ${recovery.reason}`, {
      since: recovery.since,
      ends: 'somebody confirms it',
      command: 'muster recover confirm',
      who: 'an admin',
    }),
  ];
}

function clusterLinks(facts: WhyFacts): WhyLink[] {
  const { cluster, destination, onHub } = facts;
  if (onHub) return [];
  if (!cluster) {
    // What could not be rendered says it already.
    if (facts.conditions.length > 0 || !facts.rendered) return [];
    return [
      link('destination', `no registered cluster is its destination ${destination}`, {
        ends: 'such a cluster joins, or the destination is put right',
        command: 'muster cluster list',
      }),
    ];
  }
  switch (cluster.state) {
    case 'pending':
    case 'recovered':
      return [
        link(
          'cluster',
          `the cluster ${cluster.name} is ${cluster.state} and gets nothing before it is approved`,
          {
            since: cluster.since,
            ends: 'its approval',
            command: `muster cluster approve ${cluster.name}`,
            who: 'an admin',
          },
        ),
      ];
    case 'removing':
      return [
        link('cluster', `the cluster ${cluster.name} is being removed: it is told nothing new`, {
          command: `muster cluster get ${cluster.name}`,
        }),
      ];
    case 'active':
      return silence(facts);
  }
}

function silence({ cluster }: WhyFacts): WhyLink[] {
  if (!cluster) return [];
  const details = {
    ends: 'its agent connects again; it keeps what it has until then',
    command: `muster cluster get ${cluster.name}`,
    who: `whoever looks after ${cluster.name}`,
  };
  if (!cluster.lastSeen)
    return [
      link('agent', `the agent of ${cluster.name} has never connected`, { since: cluster.since, ...details }),
    ];
  if (!cluster.silentSince) return [];
  return [
    link('agent', `the agent of ${cluster.name} is silent`, { since: cluster.silentSince, ...details }),
  ];
}

/** From the hub to the agent: whether the assignment is signed, sent and accepted. */
export function deliveryLinks(facts: WhyFacts): WhyLink[] {
  const { assignment, cluster, status, rendered, onHub } = facts;
  if (onHub || !cluster || !rendered) return [];
  if (!assignment)
    return facts.hold || facts.rollout || facts.conditions.length > 0
      ? []
      : [link('delivery', 'nothing is signed for it yet', { ends: 'it is done by itself' })];
  if (assignment.action !== 'apply') return [];
  if (assignment.refused) return [refusal(assignment, cluster.name)];
  if (!assignment.current)
    return [
      link('delivery', 'its newest assignment is not signed yet', {
        ends: 'it is done by itself',
        command: 'muster status',
      }),
    ];
  if (!assignment.ackedAt)
    return [
      link('delivery', `the agent of ${cluster.name} has not acknowledged its assignment`, {
        since: assignment.signedAt,
        ends: 'it is done by itself',
        command: `muster cluster get ${cluster.name}`,
      }),
    ];
  if (status?.current) return [];
  return [
    link('delivery', `the agent of ${cluster.name} has the assignment, and has not reported on it`, {
      since: assignment.ackedAt,
      ends: 'it is done by itself',
    }),
  ];
}

function refusal({ refused, signedAt }: AssignmentFacts, cluster: string): WhyLink {
  return link('refused', `the agent of ${cluster} refused the assignment: ${refused}`, {
    since: signedAt,
    ends: 'what it refuses is put right: keys, the limits of its project or of the agent',
    command: `muster cluster get ${cluster}`,
    who: 'an admin',
  });
}
