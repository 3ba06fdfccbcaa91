import type { WhyLink, WhyView } from '@muster/api';

/** A target of a set, and what blocks it. */
export interface TargetChain {
  /** `namespace/name@cluster`. */
  id: string;
  links: readonly WhyLink[];
}

const MAX_GROUPS = 50;
const EXAMPLES = 5;

type Targets = NonNullable<WhyView['targets']>;
type Group = Targets['groups'][number];

/** Targets by what blocks them first: the same kind and the same words are one group, whatever their own names are. */
export function targetsView(chains: readonly TargetChain[], more: boolean): Targets {
  const groups = new Map<string, Group>();
  let blocked = 0;
  for (const { id, links } of chains) {
    const [first] = links;
    if (!first) continue;
    blocked += 1;
    const text =
      first.kind === 'dependency' ? withoutOwnOthers(first.text, id) : withoutNames(first.text, id);
    const key = `${first.kind} ${text}`;
    const group = groups.get(key);
    if (!group) {
      const { kind, since, command, who } = first;
      groups.set(key, {
        kind,
        text,
        count: 1,
        ...(since === undefined ? {} : { since }),
        examples: [id],
        ...(command === undefined ? {} : { command }),
        ...(who === undefined ? {} : { who: withoutNames(who, id) }),
      });
      continue;
    }
    group.count += 1;
    if (group.examples.length < EXAMPLES) group.examples.push(id);
    if (first.since !== undefined && (group.since === undefined || first.since < group.since))
      group.since = first.since;
    // What is to be typed names one of them.
    if (group.command !== first.command) delete group.command;
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1));
  const others = sorted.slice(MAX_GROUPS);
  const omitted = { groups: others.length, targets: others.reduce((sum, { count }) => sum + count, 0) };
  const groupsShown = sorted.slice(0, MAX_GROUPS);
  return {
    total: chains.length,
    blocked,
    more,
    groups: groupsShown,
    ...(others.length > 0 ? { omitted } : {}),
  };
}

/** The names of a target itself say nothing about the reason. */
function withoutNames(text: string, id: string): string {
  const [app = '', cluster = ''] = id.split('@');
  const name = app.split('/')[1] ?? '';
  return [app, name, cluster]
    .filter((one) => one.length > 0 && text.includes(one))
    .reduce(
      (said, one) => said.replaceAll(new RegExp(`(?<![\\w-])${escaped(one)}(?![\\w-])`, 'g'), '…'),
      text,
    );
}

/** What it waits for is called like its own cluster in most fleets (`database-eu-1`), and says since when: one reason all the same. */
function withoutOwnOthers(text: string, id: string): string {
  const cluster = id.split('@')[1] ?? '';
  const said = withoutNames(text, id).replaceAll(/ since \d{4}-\d\d-\d\dT[\d:.]+Z/g, '');
  if (cluster === '' || !said.includes(cluster)) return said;
  return said.replaceAll(new RegExp(`(?<![A-Za-z0-9])${escaped(cluster)}(?![A-Za-z0-9])`, 'g'), '…');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
