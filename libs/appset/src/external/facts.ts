/** An open pull or merge request, as its host tells of it. */
export interface PullRequestFacts {
  number: number;
  title: string;
  branch: string;
  targetBranch: string;
  headSha: string;
  author: string;
  labels: string[];
}

/** A repository at one of its branches, as its host tells of it. */
export interface RepositoryFacts {
  organization: string;
  repository: string;
  repositoryId: number;
  /** Where it is cloned from, by the generator's `cloneProtocol`. */
  url: string;
  branch: string;
  sha: string;
  labels: string[];
}

/** A repository before its branches are known. */
export type ListedRepository = Omit<RepositoryFacts, 'sha'>;

/** What a host can be asked for the scmProvider generator. */
export interface RepositoryHost {
  repositories(signal?: AbortSignal): Promise<ListedRepository[]>;
  /** The default branch, or all; empty where the default branch does not exist. */
  branches(repository: ListedRepository, signal?: AbortSignal): Promise<RepositoryFacts[]>;
  /** A file or directory at the branch. */
  hasPath(repository: RepositoryFacts, path: string, signal?: AbortSignal): Promise<boolean>;
}
