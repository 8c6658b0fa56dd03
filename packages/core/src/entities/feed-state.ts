/** Whether the change feed is written, and from where on it is whole. */
export interface FeedSetting {
  readonly on: boolean
  /** The feed holds every operation with a higher opId than this. */
  readonly after: number
}

export class FeedState {
  #setting: FeedSetting

  constructor(setting: FeedSetting) {
    this.#setting = setting
  }

  get on(): boolean {
    return this.#setting.on
  }

  get after(): number {
    return this.#setting.after
  }

  /** A transaction that changed it was handed over. */
  set(setting: FeedSetting): void {
    this.#setting = setting
  }
}
