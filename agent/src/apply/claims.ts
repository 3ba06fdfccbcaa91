/** Which Application may write an object: the first one that asked, until it lets go. */
export class Claims {
  private readonly owners = new Map<string, string>();

  /** Answers the Application that holds the object: `application` itself when it was free. */
  claim(key: string, application: string): string {
    const owner = this.owners.get(key);
    if (owner !== undefined) return owner;
    this.owners.set(key, application);
    return application;
  }

  ownerOf(key: string): string | undefined {
    return this.owners.get(key);
  }

  release(key: string, application: string): void {
    if (this.owners.get(key) === application) this.owners.delete(key);
  }

  /** Lets go of everything of an Application but these. */
  releaseOthers(application: string, keep: (key: string) => boolean): void {
    for (const [key, owner] of this.owners) if (owner === application && !keep(key)) this.owners.delete(key);
  }
}
