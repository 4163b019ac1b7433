import './base.css';
import './bars.css';
import './groups.css';
import './page.css';
import './models.css';
import './pipeline.css';
import './badges.css';
import './notebook.css';
