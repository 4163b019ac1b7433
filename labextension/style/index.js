import './base.css';
import './bars.css';
import './page.css';
