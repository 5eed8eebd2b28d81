/** The only rule for passwords; the server checks it too. */
const MIN_LENGTH = 12;

export const NEW_PASSWORD_HINT = `At least ${MIN_LENGTH} characters. A few random words are a good password.`;

export const newPasswordRules = {
  required: "Choose a password.",
  minLength: { value: MIN_LENGTH, message: `Use at least ${MIN_LENGTH} characters.` },
  maxLength: { value: 200, message: "Use at most 200 characters." },
};
