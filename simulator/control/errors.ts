/** Everything the control API refuses. `status` is the HTTP status, `code` is for programs, the message for people. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly status: 400 | 403 | 404 | 409 | 413;
  readonly code: string;

  constructor(status: ControlError["status"], code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
