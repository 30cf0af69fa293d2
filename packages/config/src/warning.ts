/** Something that stops nothing, but that a person would want to know. */
export interface ConfigWarning {
  /** `unknownVariable`: it has the prefix and names no setting. `untrusted`: a project file set what only the user may. */
  readonly type: 'unknownVariable' | 'untrusted';
  readonly message: string;
  readonly suggestion: string | undefined;
  /** Of `unknownVariable`. */
  readonly variable: string | undefined;
  /** Of `untrusted`: the setting, and the file that was not listened to. */
  readonly path: string | undefined;
  readonly file: string | undefined;
}
