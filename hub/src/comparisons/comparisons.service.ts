import type {
  CommitRange,
  CompareReleases,
  ListReleases,
  ReleaseDetail,
  ReleaseDiff,
  ReleaseList,
} from '@muster/api';
import { MusterError } from '@muster/base';
import { secretValues } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { decodeCursor, toPage } from '../api/paging.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { CommitLogs } from '../sources/commit-logs.service.ts';
import { ImageTally, bundleDifference } from './bundle-differences.ts';
import { type Range, rangeView, rangesOf, unknownRange } from './commit-ranges.ts';
import { ComparisonsRepository, type NamedOwner, type ReleaseRow } from './comparisons.repository.ts';
import { DiffReport } from './diff-report.ts';
import { imagesOf } from './images.ts';
import { formatReleaseName, parseReleaseName } from './release-name.ts';
import { detailTargets, releaseView } from './release-views.ts';
import { type Comparison, type SideTarget, comparisonsOf } from './sides.ts';

const MAX_COMMITS = 100;
const MAX_RANGES = 20;
const MAX_COMPARISONS = 500;
const MAX_IMAGES = 200;
const MAX_BUNDLES = 200;

interface Side {
  name: string;
  label: string;
  named: NamedOwner;
  release: ReleaseRow | undefined;
  targets: SideTarget[];
}

/** Releases as users see them, and what is different between two of them or between two environments. */
@Injectable()
export class Comparisons {
  constructor(
    @Inject(ComparisonsRepository) private readonly repository: ComparisonsRepository,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(CommitLogs) private readonly logs: CommitLogs,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /** Newest first. Throws `not-found`, also for what the actor may not see. */
  async list(actor: Actor, { owner, limit, after }: ListReleases): Promise<ReleaseList> {
    const { namespace, name } = parseReleaseName(owner, 'owner');
    const before = after === undefined ? undefined : Number(decodeCursor(after, 1)[0]);
    if (Number.isNaN(before))
      throw new MusterError('invalid', 'is not a cursor of this list', { where: 'after' });
    const named = await this.#named(actor, namespace, name);
    const projects = this.access.visibleProjects(actor, 'viewer');
    const rows = await this.repository.releases(named, projects, limit + 1, before);
    const page = toPage(rows, limit, (row) => [String(row.number)]);
    return { ...page, items: page.items.map((row) => releaseView(named, row)) };
  }

  /** What a release says of its targets, or what targets hold now. Throws `not-found`. */
  async get(actor: Actor, of: string, signal: AbortSignal): Promise<ReleaseDetail> {
    const { name, named, release, targets } = await this.#side(actor, of, 'of');
    const digests = [...new Set(targets.flatMap(({ bundle }) => bundle ?? []))];
    const images = new Set<string>();
    for (const digest of digests.slice(0, MAX_BUNDLES)) {
      signal.throwIfAborted();
      const objects = await this.bundles.objects(digest);
      for (const image of imagesOf(objects, secretValues(objects))) images.add(image);
    }
    return {
      name,
      owner: named.ownerName,
      ownerKind: named.owner.kind,
      ...(release ? { release: releaseView(named, release) } : {}),
      ...detailTargets(targets),
      images: [...images].sort().slice(0, MAX_IMAGES),
    };
  }

  /** What B has that A has not, and the other way round. Throws `not-found`, `invalid`. */
  async diff(actor: Actor, query: CompareReleases, signal: AbortSignal): Promise<ReleaseDiff> {
    const [a, b] = [await this.#side(actor, query.a, 'a'), await this.#side(actor, query.b, 'b')];
    const { list, loosely, notices } = comparisonsOf(
      { owner: shortName(a), targets: a.targets },
      { owner: shortName(b), targets: b.targets },
    );
    const report = new DiffReport(query);
    const images = new ImageTally();
    const differing = list.filter(({ before, after }) => before !== after);
    report.unchanged(list.filter(({ before, after }) => before === after));
    if (differing.length > MAX_COMPARISONS)
      notices.push(
        `${differing.length} different pairs of manifests: the first ${MAX_COMPARISONS} are compared`,
      );
    for (const [i, comparison] of differing.entries()) {
      signal.throwIfAborted();
      if (i >= MAX_COMPARISONS) {
        report.differs(comparison, undefined);
        continue;
      }
      const [before, after] = await Promise.all([
        this.#objects(comparison.before),
        this.#objects(comparison.after),
      ]);
      const difference = bundleDifference(before, after, loosely);
      images.add(difference.images, comparison.pairs.length);
      report.differs(comparison, difference.objects);
    }
    const all = images.all();
    return {
      a: sideView(a),
      b: sideView(b),
      ...report.result(),
      commits: await this.#commits(list, signal),
      images: all.slice(0, MAX_IMAGES),
      moreImages: Math.max(0, all.length - MAX_IMAGES),
      notices,
    };
  }

  async #objects(digest: string | undefined) {
    return digest === undefined ? [] : this.bundles.objects(digest);
  }

  async #commits(list: readonly Comparison[], signal: AbortSignal): Promise<CommitRange[]> {
    const ids = list.flatMap(({ pairs }) => pairs.flatMap(({ before, after }) => [before, after]));
    const applications = new Set(ids.flatMap((one) => one?.applicationId ?? []));
    const ranges = rangesOf(list, await this.repository.gitSources([...applications]));
    const views: CommitRange[] = [];
    for (const range of ranges.slice(0, MAX_RANGES)) views.push(await this.#range(range, signal));
    return views;
  }

  /** What cannot be read of the repository is said, and keeps nobody from the rest. */
  async #range(range: Range, signal: AbortSignal): Promise<CommitRange> {
    const { repositoryId, from, to } = range;
    if (from === undefined || to === undefined) return unknownRange(range);
    try {
      const apart = await this.logs.between(repositoryId, from, to, MAX_COMMITS + 1, signal);
      return rangeView(range, apart, MAX_COMMITS);
    } catch (thrown) {
      signal.throwIfAborted();
      return unknownRange(range, MusterError.from(thrown).message);
    }
  }

  async #side(actor: Actor, text: string, where: string): Promise<Side> {
    const parsed = parseReleaseName(text, where);
    const { namespace, name, number, cluster } = parsed;
    const named = await this.#named(actor, namespace, name);
    const projects = this.access.visibleProjects(actor, 'viewer');
    const [release] =
      number === undefined ? [] : await this.repository.releases(named, projects, 1, undefined, number);
    if (number !== undefined && !release)
      throw new MusterError('not-found', `${namespace}/${name} has no release ${number} in its history`, {
        where,
        hint: `muster release list ${namespace}/${name}`,
      });
    const targets = release
      ? await this.repository.targetsOf(release.id, named, projects, cluster)
      : await this.repository.targetsNow(named, projects, cluster);
    if (targets.length === 0 && cluster !== undefined)
      throw new MusterError('not-found', `${namespace}/${name} has nothing on a cluster ${cluster}`, {
        where,
      });
    return { name: formatReleaseName(parsed), label: labelOf(release, targets), named, release, targets };
  }

  /** Throws `not-found`, also for what the actor may not see. */
  async #named(actor: Actor, namespace: string, name: string): Promise<NamedOwner> {
    const named = await this.repository.named(namespace, name);
    const visible = named && this.access.visibleProjects(actor, 'viewer');
    // The template of a set may choose projects: those of its Applications decide.
    if (named && (visible === '*' || named.project === '' || visible!.includes(named.project))) return named;
    throw new MusterError('not-found', `there is no ApplicationSet or Application ${namespace}/${name}`, {
      hint: 'muster appset list, muster app list',
    });
  }
}

function shortName({ named }: Side): string {
  return named.ownerName.split('/')[1]!;
}

function labelOf(release: ReleaseRow | undefined, targets: readonly SideTarget[]): string {
  if (release) return `release ${release.number} (${release.cause})`;
  const numbers = [...new Set(targets.flatMap((one) => one.release ?? []))].sort((x, y) => y - x);
  if (numbers.length === 0) return 'what it holds';
  return `what it holds: release ${numbers.slice(0, 5).join(', ')}${numbers.length > 5 ? ', …' : ''}`;
}

function sideView({ name, label, targets }: Side): ReleaseDiff['a'] {
  const clusters = new Set(targets.map(({ clusterId }) => clusterId)).size;
  return { name, label, targets: targets.length, clusters };
}
