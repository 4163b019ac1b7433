// What notebooks need while they are drawn; all else comes with the code that needs it (src/styles.ts).
import './badges.css';
